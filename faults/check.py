"""The checker: reads a history and nothing else, and reports its violations.

    python -m faults.check HISTORY ...

Every acknowledged window has, for each fault, exactly one result or its family's dead letter.
Nothing is left pending, and the counters and the meters of energy agree. There was progress while
disturbances were on, so that a run in which everything was refused does not pass. Limits are
relative to the run without faults that came before (`faults.reference`).
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.days import Days, Said, counted
from faults.figures import Figures, Run, Window, duplicates, progress, recovery_s
from faults.history import Event, read
from faults.sender import DAY_S
from vtox.motor.faults import PERSISTENCE

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """Figures of a run, and every violation in words."""

    figures: Figures
    violations: list[str]


def check(events: Iterable[Event]) -> Verdict:
    """Check a history."""
    run = Run.of(events)
    if not run.head:
        raise ValueError("the history has no event `run`: it is not of `python -m faults`")
    answers = _answers(run)
    expected = {(w, fault) for w in run.acks for fs in run.families.values() for fault in fs}
    lost = sorted(expected - answers.keys())
    doubled = sorted(key for key, n in answers.items() if n > 1)
    answered, accepted = progress(run)
    figures = Figures(
        test=run.head["test"],
        seed=run.head["seed"],
        windows=len(run.acks),
        disturbances=len(run.disturbances),
        lost=len(lost),
        doubled=len(doubled),
        dead=len(run.dead),
        duplicates=duplicates(run),
        progress=answered,
        accepted=accepted,
        recovery_s=recovery_s(run),
        drained_s=run.drained_s,
        slowness=run.slowness,
        withdrawn=len(run.seen - {e.get("id", "") for e in run.results}),
    )
    violations = [
        *_list("lost (acknowledged, neither result nor dead letter)", lost),
        *_list("doubled", doubled),
        *_list("answered, but never acknowledged", sorted(answers.keys() - expected)),
        *_state(run),
        *_counters(run),
        *_meters(run),
        *_days(run),
        *_limits(run, figures),
    ]
    return Verdict(figures, violations)


def _answers(run: Run) -> Counter[tuple[Window, str]]:
    """Return how often each window was answered for each fault: results and dead letters."""
    answers: Counter[tuple[Window, str]] = Counter()
    for e in run.results:
        for seq in range(e["first"], e["last"] + 1):
            answers[(e["machine"], e["run"], seq), e["fault"]] += 1
    runs = {(machine, seq): run_name for machine, run_name, seq in run.acks}
    for e in run.dead:
        seq = int(e["seq"]) if str(e["seq"]).isdigit() else -1
        window = (e["machine"], runs.get((e["machine"], seq), ""), seq)
        families = [e["family"]] if e["family"] else list(run.families)
        for fault in (fault for f in families for fault in run.families[f]):
            answers[window, fault] += 1
    return answers


def _list(what: str, keys: Sequence[tuple[Window, str]]) -> list[str]:
    if not keys:
        return []
    shown = ", ".join(f"{m} {r} {s} {fault}" for (m, r, s), fault in keys[:SHOWN])
    return [f"{len(keys)} {what}: {shown}{' ...' if len(keys) > SHOWN else ''}"]


def _state(run: Run) -> Iterator[str]:
    """Yield the violations of the state at the end: pending work, ledgers, queues."""
    if not run.final:
        yield "the run did not reach its end: no event `final`"
        return
    for name in ("pending", "lag", "progress"):
        if run.final[name] != 0:
            yield f"{name} is {run.final[name]} at the end, expected 0"
    for name in ("ledger", "queues"):
        if left := {f: n for f, n in run.final[name].items() if n}:
            yield f"{name} not empty at the end: {left}"
    for name, events in (("results", run.results), ("dead", run.dead)):
        if run.final[name] != len(events):
            yield f"{run.final[name]} {name} in the stream, {len(events)} in the history"


def _counters(run: Run) -> Iterator[str]:
    """Yield counters that differ from the acknowledged windows."""
    if not run.final:
        return
    count = defaultdict(int, run.final["counters"])
    windows = len(run.acks)
    refused = sum(not e["family"] for e in run.dead)
    sums = {
        "windows_in": count["windows_in"] + count["windows_refused"],
        "windows_done + windows_dead": count["windows_done"] + count["windows_dead"] + refused,
    }
    for f in run.families:
        sums[f"windows:{f} + dead:{f}"] = count[f"windows:{f}"] + count[f"dead:{f}"] + refused
    for name, value in sums.items():
        if value != windows:
            yield f"{name} is {value}, but {windows} windows were acknowledged"
    for f in run.families:
        for what in ("windows", "bytes"):
            if n := count[f"in_flight_{what}:{f}"]:
                yield f"in_flight_{what}:{f} is {n} at the end, expected 0"


def _meters(run: Run) -> Iterator[str]:
    """Yield meters that differ from the results, and results that differ from their windows."""
    if "joules" not in run.final:
        return
    counted, windows = Counter[str](), Counter[str]()
    for e in run.results:
        if e["joules"]:
            counted[e["machine"]] += e["joules"]
            windows[e["machine"]] += e["last"] - e["first"] + 1
    for machine in sorted(counted.keys() | run.final["joules"].keys()):
        if (meter := run.final["joules"].get(machine, 0)) != counted[machine]:
            yield f"the meter of {machine} is {meter} J, its results say {counted[machine]} J"
    a_window = {counted[m] / windows[m] for m in counted}
    if len(a_window) > 1:
        yield f"joules a window differ between machines: {sorted(a_window)}"


def _days(run: Run) -> Iterator[str]:
    """Yield days that machines keep and that differ from those of their results."""
    least = run.limit("days")
    if not least or "days" not in run.final:
        return
    first_t = min((e["t_start"] for e in run.results), default=0.0)
    said: defaultdict[tuple[str, str], list[Said]] = defaultdict(list)
    for e in run.results:
        day = int((e["t_start"] - first_t) // DAY_S)
        said[e["machine"], e["fault"]].append(Said(e["t_end"], day, e["state"]))
    days = 0
    for machine, faults in sorted(run.final["days"].items()):
        for fault, (*numbers, alerts) in faults.items():
            kept, records = Days(*numbers, tuple(alerts)), said[machine, fault]
            days += len({x.day for x in records if x.state != "unknown"})
            if kept != (expected := counted(records, PERSISTENCE[fault])):
                yield f"{machine} keeps {kept} of {fault}, its results say {expected}"
    if days < least:
        yield f"{days} days were counted, expected {least:g}"


def _limits(run: Run, figures: Figures) -> Iterator[str]:
    """Yield the figures beyond the limits of the test."""
    queue = max((n for s in run.samples for n in s["queues"].values()), default=0)
    at_most: dict[str, Any] = {
        "queue": queue,
        "drained_s": float("inf") if run.drained_s is None else run.drained_s,
        "duplicates": figures.duplicates,
        "recovery_s": figures.recovery_s,
        "dead": figures.dead,
    }
    at_least: dict[str, Any] = {
        "progress": figures.progress,
        "accepted": figures.accepted,
        "disturbances": figures.disturbances,
        "windows": figures.windows,
    }
    for name, value in at_most.items():
        limit = run.limit(name)
        if limit is not None and (value is None or value > limit):
            yield f"{name} is {_number(value)}, expected at most {limit:g}"
    for name, value in at_least.items():
        limit = run.limit(name)
        if limit is not None and (value is None or value < limit):
            yield f"{name} is {_number(value)}, expected {limit:g}"
    for m in run.measures:
        if "at_most" in m and not m["value"] <= (most := m["at_most"] * run.slowness):
            yield f"{m['name']}: {m['value']}, expected at most {most:g}"
        if "at_least" in m and not m["value"] >= m["at_least"]:
            yield f"{m['name']}: {m['value']}, expected at least {m['at_least']}"
    if any(e["latency_ms"] < 0 for e in run.results):
        yield "a latency is negative"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g}"


def main(paths: Sequence[str]) -> int:
    """Check files; return the exit status."""
    bad = 0
    for path in paths:
        verdict = check(read(Path(path)))
        print(f"{path}: {verdict.figures}")
        for violation in verdict.violations:
            print(f"  {violation}")
        bad += bool(verdict.violations)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
