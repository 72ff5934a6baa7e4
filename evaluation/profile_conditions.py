"""Runs, starts and supplies outside a profile, for `evaluation.profiles`: which are found."""

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy

import numpy as np

from evaluation.profile_days import MachineDays
from vtox.motor.alarms.profile import operation
from vtox.motor.alarms.profile.advance import advance
from vtox.motor.alarms.profile.values import DAY_MIN, LEARNING_DAYS, Condition, Minute, Profile

# Minutes that a run, starts and a supply outside last, in which they are found.
RUN_MIN, STARTS_MIN, SUPPLY_MIN = 30, 60, 10
# A run is unusual so many hours from any in which the machine ran on such a day.
FAR_H = 3
# Starts in an hour over the most in the days of learning, and at least so many more.
TIMES, MORE = 3, 6
TRIALS = 3
SUPPLIES = {
    "voltage 12 % low": {"volts": 0.88 * 400},
    "voltage 12 % high": {"volts": 1.12 * 400},
    "unbalance 4 %": {"voltage_unbalance": 0.04},
    "frequency 3 % low": {"hz": 0.97 * 50},
    "single phase": {"current_unbalance": 0.98},
}


def condition_trials(days: MachineDays, p: Profile, k: int, done: Counter[str]) -> list[str]:
    """Return the outcomes of the conditions that are possible from a minute on."""
    found = []
    for name, condition, minutes in _possible(days, k):
        if sum(done[f"{name}: {x}"] for x in ("found", "missed")) < TRIALS and not p.open:
            found.append(f"{name}: {_said(deepcopy(p), days, condition, minutes)}")
    return found


def _possible(days: MachineDays, k: int) -> list[tuple[str, Condition, Sequence[Minute]]]:
    out: list[tuple[str, Condition, Sequence[Minute]]] = []
    ahead = days.running[k : k + STARTS_MIN]
    if len(ahead) < STARTS_MIN:
        return []
    if not ahead[:RUN_MIN].any() and _far_from_runs(days, k):
        out.append(("run outside its hours", "runs_unusually", _run(days, k, RUN_MIN)))
    if ahead.all() and days.since_start(k) >= 30:
        out.append(("starts often", "starts_often", _starting(days, k)))
        minutes = [days.minute(k + i) for i in range(SUPPLY_MIN)]
        for name, figures in SUPPLIES.items():
            if name == "single phase" or not days.site.driven:
                of_voltage = not name.startswith(("frequency", "single"))
                if days.voltages or not of_voltage:
                    changed = [m._replace(**figures) for m in minutes]
                    out.append((name, "supply_off", changed))
    return out


def _said(p: Profile, days: MachineDays, condition: Condition, minutes: Sequence[Minute]) -> str:
    found = {c.condition for m in minutes for c in advance(p, m, days.site) if c.on}
    return "found" if condition in found else "missed"


def _hours(days: MachineDays, k: int) -> int:
    return operation.hour_of(operation.local_time(days.began + k, days.site))


def _far_from_runs(days: MachineDays, k: int) -> bool:
    """Return whether it never ran near this hour on such days, before this minute."""
    step = 15
    ran = {_hours(days, i) for i in range(0, k, step) if days.running[i : i + step].any()}
    hour = _hours(days, k)
    day = hour // 24 * 24
    near = {day + (hour - day + h) % 24 for h in range(-FAR_H, FAR_H + 1)}
    return not near & ran


def _run(days: MachineDays, k: int, minutes: int) -> list[Minute]:
    """Return minutes of a run with the load of the last one."""
    last = int(np.flatnonzero(days.running[:k])[-1])
    like = days.minute(last)
    return [like._replace(minute=days.began + k + i, starts=int(i == 0)) for i in range(minutes)]


def _starting(days: MachineDays, k: int) -> list[Minute]:
    """Return an hour with more starts than any of the days of learning."""
    runs = days.running[: LEARNING_DAYS * DAY_MIN].astype(int)
    begun = np.flatnonzero(np.diff(runs) > 0)
    most = max((int(np.sum((begun >= b) & (begun < b + 60))) for b in begun), default=0)
    wanted = max(TIMES * most, most + MORE)
    each = np.bincount(np.arange(wanted) * STARTS_MIN // wanted, minlength=STARTS_MIN)
    return [days.minute(k + i)._replace(starts=int(n)) for i, n in enumerate(each)]
