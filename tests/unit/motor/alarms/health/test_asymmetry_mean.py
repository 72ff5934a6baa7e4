"""Turn shorts that a moving supply leaves open, decided by the mean over hours."""

from cmath import exp, phase
from dataclasses import replace
from math import degrees, pi
from typing import Any

import numpy as np
import pytest

from tests.unit.motor.alarms.health.test_update import record
from vtox.motor.alarms.health.asymmetry_mean import (
    HOUR_S,
    LEAST_HOURS,
    MOST_HOURS,
    AsymmetryMean,
    decided_by_mean,
)
from vtox.motor.alarms.health.update import HealthUpdate, MachineHistory, update
from vtox.motor.values import codec
from vtox.motor.values.domain import Diagnosis, Record

OPEN = Diagnosis(
    fault="turn_short",
    state="unknown",
    code="baseline_too_uncertain",
    values={"limit_ratio": 0.07},
)


def with_excess(excess: complex, periods: int = 5, **other: Any) -> Diagnosis:
    shown = {"corrected_ratio": abs(excess), "corrected_deg": degrees(phase(excess))}
    return replace(OPEN, indicators=shown | {"periods": periods}, **other)


def at_hour(n: float) -> Record:
    return replace(record(0), t_start=(n + 1) * HOUR_S, t_end=(n + 1) * HOUR_S + 1)


def wander(hours: int, size: float = 0.02, seed: int = 3) -> list[complex]:
    """Return the excess of a supply that takes another angle every hour."""
    rng = np.random.default_rng(seed)
    return [size * exp(2j * pi * float(u)) for u in rng.uniform(size=hours)]


def updates(*diagnoses: Diagnosis) -> list[HealthUpdate]:
    """Feed one diagnosis an hour to a new machine, whose history is stored in between."""
    history, found = MachineHistory(), []
    for n, d in enumerate(diagnoses):
        found.append(update(history, at_hour(n), [d]))
        history = codec.decode(MachineHistory, codec.encode(found[-1].history))
    return found


def test_an_excess_that_wanders_is_sound_after_a_day() -> None:
    found = updates(*map(with_excess, wander(LEAST_HOURS)))
    assert [u.decided[0].state for u in found[:-1]] == ["unknown"] * (LEAST_HOURS - 1)
    last = found[-1].decided[0]
    assert (last.state, last.code) == ("normal", "no_asymmetry_over_hours")
    assert last.values["hours"] == LEAST_HOURS
    assert found[-1].history.faults["turn_short"].last_state == "normal"


def test_an_excess_that_stays_is_bounded_by_a_doubt() -> None:
    short = [x + 0.06 for x in wander(2 * MOST_HOURS)]
    (last,) = updates(*map(with_excess, short))[-1].decided
    assert last.state == "unknown"
    assert [r.code for r in last.doubts] == ["asymmetry_bounded"]
    assert last.doubts[0].values["bound_ratio"] > 0.06


def test_a_short_ends_soundness_within_two_days() -> None:
    later = [x + 0.06 for x in wander(MOST_HOURS, seed=4)]
    states = [u.decided[0].state for u in updates(*map(with_excess, [*wander(60), *later]))]
    assert (states[59], states[-1]) == ("normal", "unknown")


def test_one_record_an_hour_counts() -> None:
    mean = None
    for n in range(50):
        mean, _ = decided_by_mean(mean, with_excess(0.02), at_hour(n / 100))
    assert mean is not None
    assert mean.hours == 1


def test_a_baseline_learnt_again_begins_a_new_mean() -> None:
    known = AsymmetryMean(hours=40, real=0.04, square=0.002, hour=1, periods=6)
    mean, _ = decided_by_mean(known, with_excess(0.01, periods=1), at_hour(5))
    assert mean == AsymmetryMean(1, 0.01, 0.0, 0.0001, 6, 1)
    more, _ = decided_by_mean(known, with_excess(0.01, periods=7), at_hour(5))
    assert more is not None
    assert (more.hours, more.periods) == (41, 7)


@pytest.mark.parametrize(
    "d",
    [
        replace(OPEN, indicators={"corrected_ratio": 0.01, "corrected_deg": 10.0}),
        replace(OPEN, indicators={"corrected_ratio": None, "corrected_deg": None, "periods": 5}),
        with_excess(0.01, code="no_current", values={"rms_a": 0.0}),
    ],
)
def test_other_records_stay_as_they_are(d: Diagnosis) -> None:
    known = AsymmetryMean(hours=MOST_HOURS, square=0.0001, hour=1, periods=5)
    assert decided_by_mean(known, d, at_hour(9))[1] == d
