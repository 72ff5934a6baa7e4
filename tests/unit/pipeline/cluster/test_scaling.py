"""When a host has one worker more or one fewer: the table of decisions, and calm over time."""

import random
from collections.abc import Callable

import pytest

from vtox.pipeline.cluster.scaling import (
    ADD_AFTER_S,
    ADD_PAUSE_S,
    REMOVE_AFTER_S,
    REMOVE_PAUSE_S,
    Bounds,
    ScalingState,
    Workload,
    decide,
)

BOUNDS = Bounds(least=1, most=6)
T = 1000.0
EVERY_S = 5.0


@pytest.mark.parametrize(
    ("age_s", "busy", "workers", "behind_for", "idle_for", "changed_ago", "change", "code"),
    [
        (9.0, 0.9, 3, ADD_AFTER_S, None, 99.0, 1, "records_wait"),
        (0.0, 0.9, 3, ADD_AFTER_S, None, 99.0, 1, "workers_are_busy"),
        (9.0, None, 3, ADD_AFTER_S, None, 99.0, 1, "records_wait"),
        (9.0, 0.9, 3, ADD_AFTER_S - 1, None, 99.0, 0, "workers_suffice"),
        (9.0, 0.9, 3, ADD_AFTER_S, None, ADD_PAUSE_S - 1, 0, "workers_suffice"),
        (9.0, 0.9, 6, ADD_AFTER_S, None, 99.0, 0, "workers_at_most"),
        (4.0, 0.8, 3, ADD_AFTER_S, None, 99.0, 0, "workers_suffice"),
        (0.5, 0.3, 3, None, REMOVE_AFTER_S, 300.0, -1, "workers_are_idle"),
        (0.5, 0.3, 3, None, REMOVE_AFTER_S - 1, 300.0, 0, "workers_suffice"),
        (0.5, 0.3, 3, None, REMOVE_AFTER_S, REMOVE_PAUSE_S - 1, 0, "workers_suffice"),
        (0.5, 0.3, 1, None, REMOVE_AFTER_S, 300.0, 0, "workers_suffice"),
        # Two would be at work for 0.63 of their time.
        (0.5, 0.42, 3, None, REMOVE_AFTER_S, 300.0, 0, "workers_suffice"),
        (3.0, 0.1, 3, None, REMOVE_AFTER_S, 300.0, 0, "workers_suffice"),
        (0.5, None, 3, None, REMOVE_AFTER_S, 300.0, 0, "workers_suffice"),
    ],
)
def test_the_table(
    age_s: float,
    busy: float | None,
    workers: int,
    behind_for: float | None,
    idle_for: float | None,
    changed_ago: float,
    change: int,
    code: str,
) -> None:
    trend = ScalingState(
        changed_t=T - changed_ago,
        behind_since_t=None if behind_for is None else T - behind_for,
        idle_since_t=None if idle_for is None else T - idle_for,
    )
    load = Workload(t=T, age_s={"bearing": age_s, "turn_short": 0.0}, busy=busy)
    decision, after = decide(load, workers, trend, BOUNDS)
    assert (decision.change, decision.why.code) == (change, code)
    assert decision.why.sentence
    assert (after.changed_t == T) == bool(change)


def changes(demand: Callable[[float], float], span_s: float, workers: int = 1) -> list[int]:
    """Return the changes under a demand (workers' worth of work) over a time."""
    trend, made, waiting_s = ScalingState(changed_t=0.0), [], 0.0
    for step in range(int(span_s / EVERY_S)):
        t = step * EVERY_S
        waiting_s = max(0.0, waiting_s + EVERY_S * (demand(t) / workers - 1))
        busy = 1.0 if waiting_s else min(demand(t) / workers, 1.0)
        load = Workload(t=t, age_s={"bearing": waiting_s}, busy=busy)
        decision, trend = decide(load, workers, trend, BOUNDS)
        workers += decision.change
        made += [decision.change] if decision.change else []
    return made


def test_a_tripled_load_gets_its_workers_and_gives_them_back() -> None:
    def demand(t: float) -> float:
        return 1.5 if 100 <= t < 700 else 0.5

    made = changes(demand, 2400)
    assert made == [1, -1]


@pytest.mark.parametrize("level", [0.5, 0.8, 1.3, 2.2, 3.7])
def test_a_steady_load_with_noise_does_not_flap(level: float) -> None:
    rng = random.Random(7)
    made = changes(lambda _: level * rng.uniform(0.7, 1.3), 7200)
    assert made == [1] * len(made)


def test_a_load_that_swings_between_two_levels_within_a_minute_does_not_flap() -> None:
    made = changes(lambda t: 2.5 if t % 60 < 30 else 0.8, 7200)
    assert made == [1] * len(made)


def test_the_bounds_hold_under_a_load_that_is_too_much_and_under_none() -> None:
    made = changes(lambda t: 12.0 if t < 600 else 0.0, 7200)
    assert made == [1] * (BOUNDS.most - 1) + [-1] * (BOUNDS.most - BOUNDS.least)
