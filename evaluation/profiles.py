"""`python -m evaluation.profiles --seed N`: false alarms and finds of operation by profiles.

Machines of six kinds, minute by minute: 14 days to learn and 30 days after them, with working days,
seasons, new set-points, cleaning days, holidays and changes of the clocks. A person calls the first
alarm normal in a second run of the same days.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import numpy as np

from evaluation.profile_conditions import condition_trials
from evaluation.profile_days import DAYS, KINDS, MachineDays, machine_days
from vtox.motor.alarms.profile import load, operation
from vtox.motor.alarms.profile.advance import accept, advance, no_profile
from vtox.motor.alarms.profile.values import (
    DAY_MIN,
    LEARNING_DAYS,
    Change,
    Minute,
    Profile,
    encode_profile,
)

# Conditions of the load: over the usual load, for so many minutes, found within so many.
FALL, RISE, LASTS_MIN, WITHIN_MIN = 0.70, 1.25, 10, 15
TRIALS = 12
# Currents that move less say nothing.
LEAST_CURRENT_CHANGE = 0.15
# A person looks at an alarm after so many minutes.
LOOKS_AFTER_MIN = 120


@dataclass(frozen=True, slots=True)
class Outcome:
    """Alarms of one machine in 30 days, and trials of its load and of the others by outcome."""

    kind: str
    by: str
    alarms: tuple[str, ...]
    after_normal: tuple[str, ...]
    reacted: bool
    trials: Counter[str]
    others: Counter[str]
    reason: str
    kept_bytes: int


def run_machine(seed: int, number: int) -> Outcome:
    """Run one machine through its days, alone and with a person."""
    rng = np.random.default_rng([seed, number])
    days = machine_days(rng, KINDS[number % len(KINDS)])
    first = LEARNING_DAYS * DAY_MIN + 60
    at = sorted(rng.integers(first, DAYS * DAY_MIN - WITHIN_MIN - 1, 2 * TRIALS * 4).tolist())
    alone, trials, others, p = _alone(days, first, at)
    reacted, after = _with_person(days, first) if alone else (False, ())
    why = no_profile(p, driven=days.site.driven)
    return Outcome(
        days.kind,
        "power" if days.voltages else "current",
        tuple(c.condition for c in alone),
        after,
        reacted,
        trials,
        others,
        why.code if why else "",
        len(encode_profile(p)),
    )


def _alone(
    days: MachineDays, first: int, at: Sequence[int]
) -> tuple[list[Change], Counter[str], Counter[str], Profile]:
    p, raised, trials, others = Profile(), list[Change](), Counter[str](), Counter[str]()
    wanted = iter(at)
    following = next(wanted)
    for k in range(len(days)):
        while k == following and sum(trials.values()) < 2 * TRIALS:
            factor = (FALL, RISE)[sum(trials.values()) % 2]
            trials.update(_trial(days, p, k, factor))
            others.update(condition_trials(days, p, k, others))
            following = next(wanted, -1)
        if k == following:
            others.update(condition_trials(days, p, k, others))
            following = next(wanted, -1)
        changes = advance(p, days.minute(k), days.site)
        raised += [c for c in changes if c.on and k >= first]
    return raised, trials, others, p


def _with_person(days: MachineDays, first: int) -> tuple[bool, tuple[str, ...]]:
    """Return whether a person reacted, and the alarms after that."""
    p, due = Profile(), -1
    alarm: Change | None = None
    later: list[str] = []
    for k in range(len(days)):
        m = days.minute(k)
        for c in advance(p, m, days.site):
            if not c.on or k < first:
                continue
            if alarm is None:
                alarm, due = c, k + LOOKS_AFTER_MIN
            else:
                later.append(c.condition)
        if k == due and alarm:
            accept(p, alarm.condition, m.minute)
    return alarm is not None, tuple(later)


def _trial(days: MachineDays, p: Profile, k: int, factor: float) -> list[str]:
    """Return the outcome of a load that is off for some minutes from `k` on; none if it is none."""
    minutes = [days.minute(k + i) for i in range(WITHIN_MIN)]
    if not all(m.runs for m in minutes) or days.since_start(k) < 12 or p.open:
        return []
    name = "low" if factor < 1 else "high"
    off = [days.with_load(k + i, factor) for i in range(LASTS_MIN)]
    if not days.voltages:
        changed = [
            abs((a.current_a or 0) / (b.current_a or 1) - 1) for a, b in _pairs(off, minutes)
        ]
        if float(np.median(changed)) < LEAST_CURRENT_CHANGE:
            name += "_small"
    if no_profile(p, driven=days.site.driven):
        return [f"{name}: no_profile"]
    if not answers(p, days, k)[name.startswith("high")]:
        return [f"{name}: no_answer"]
    found, copy = set(), deepcopy(p)
    for m in (*off, *minutes[LASTS_MIN:]):
        found |= {c.condition for c in advance(copy, m, days.site) if c.on}
    right = "load_low" if factor < 1 else "load_high"
    said = "found" if right in found else "wrong" if found else "missed"
    return [f"{name}: {said}"]


def answers(p: Profile, days: MachineDays, k: int) -> tuple[bool, bool]:
    """Return whether the profile knows low loads at this minute, and high ones."""
    m, driven = days.minute(k), days.site.driven
    key = load.key_of(m, operation.hour_of(operation.local_time(m.minute, days.site)), days.site)
    return load.usual_levels(p, key, driven=driven).sides


def _pairs(off: Sequence[Minute], minutes: Sequence[Minute]) -> list[tuple[Minute, Minute]]:
    return list(zip(off, minutes[: len(off)], strict=True))


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, run the machines, print their tables."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.profiles", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--machines", type=int, default=102, help="of one month each")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(arguments)
    with ProcessPoolExecutor(options.jobs) as pool:
        run = partial(run_machine, options.seed)
        found = list(pool.map(run, range(options.machines)))
    print("\n".join(lines(found)))


def lines(found: Sequence[Outcome]) -> list[str]:
    """Return the lines of the report."""
    n, reacted = len(found), [o for o in found if o.reacted]
    alarms, after = sum(len(o.alarms) for o in found), sum(len(o.after_normal) for o in found)
    out = [
        f"{n} machine-months, largest profile {max(o.kept_bytes for o in found)} bytes",
        f"false alarms a machine-month: {alarms / n:.2f} without a person, "
        f"{after / n:.2f} after one 'this is normal' ({len(reacted)} machines had one)",
        f"  by condition: {dict(Counter(c for o in found for c in o.alarms))}",
        f"  by condition, after: {dict(Counter(c for o in found for c in o.after_normal))}",
    ]
    for kind in KINDS:
        own = [o for o in found if o.kind == kind]
        false = sum(len(o.alarms) for o in own)
        why = dict(Counter(o.reason for o in own if o.reason))
        out.append(f"  {kind}: {len(own)} machines, {false} false, no profile {why}")
        sums: Counter[str] = sum((o.trials for o in own), Counter())
        out.append(f"    {dict(sorted(sums.items()))}")
    for by in ("power", "current"):
        total: Counter[str] = Counter()
        for o in found:
            total += o.trials if o.by == by else Counter()
        for name in ("low", "high", "low_small", "high_small"):
            said = {k.split(": ")[1]: c for k, c in total.items() if k.startswith(f"{name}: ")}
            if said:
                with_profile = sum(c for k, c in said.items() if not k.startswith("no_"))
                share = said.get("found", 0) / max(with_profile, 1)
                out.append(f"by {by}, {name}: {share:.1%} of {with_profile} found; {said}")
    others: Counter[str] = sum((o.others for o in found), Counter())
    for name in sorted({k.split(": ")[0] for k in others}):
        right, missed = others[f"{name}: found"], others[f"{name}: missed"]
        out.append(f"{name}: {right} of {right + missed} found")
    return out


if __name__ == "__main__":
    main()
