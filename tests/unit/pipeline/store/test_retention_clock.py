"""The time by which retention deletes: events that move it, and others."""

from collections.abc import Iterable

import pytest

from vtox.pipeline.store.ledger.retention_clock import (
    CLOCK_TRUST_AFTER_S,
    FOLLOWED_S,
    KeptTime,
    first_time,
    next_time,
)

NOW = 1_764_000_000.0
YEAR, DAY, HOUR = 365 * 86_400.0, 86_400.0, 3_600.0


def after(kept: KeptTime, ahead: Iterable[float], *, agree: bool = True) -> KeptTime:
    """Look once an hour at a clock that is `ahead` of real time by so much."""
    start = kept.t
    for n, ahead_s in enumerate(ahead, 1):
        kept = next_time(kept, start + n * HOUR + ahead_s, HOUR, agree=agree)
    return kept


def test_it_follows_a_clock_that_is_right() -> None:
    assert after(KeptTime(NOW), [0.0, -3.0, 5.0]) == KeptTime(NOW + 3 * HOUR + 5.0)
    assert next_time(KeptTime(NOW), NOW + FOLLOWED_S, 0.0, agree=True).t == NOW + FOLLOWED_S


@pytest.mark.parametrize("wrong_s", [2 * YEAR, -2 * YEAR, 2 * HOUR])
def test_a_clock_that_is_wrong_for_hours_moves_nothing(wrong_s: float) -> None:
    wrong = after(KeptTime(NOW), 20 * [wrong_s])
    assert wrong.t == NOW + 20 * HOUR
    assert next_time(wrong, NOW + 20 * HOUR, 1.0, agree=True) == KeptTime(NOW + 20 * HOUR)


def test_what_lasts_a_day_is_believed() -> None:
    believed = after(KeptTime(NOW), 25 * [30 * DAY])
    assert believed == KeptTime(NOW + 25 * HOUR + 30 * DAY)


def test_clocks_that_disagree_are_never_believed() -> None:
    assert after(KeptTime(NOW), 100 * [2 * YEAR], agree=False) == KeptTime(NOW + 100 * HOUR)


def test_restarts_shorten_no_day() -> None:
    """Each time the span that passed meanwhile is unknown."""
    kept = KeptTime(NOW)
    for _ in range(1000):
        kept = next_time(kept, NOW + 2 * YEAR, 0.0, agree=True)
    assert (kept.t, kept.lasted_s) == (NOW, 0.0)


def test_a_step_within_the_day_adds_nothing() -> None:
    """A system that is off each night is some days behind, and believes no step meanwhile."""
    kept, t = KeptTime(NOW), NOW
    for day in range(12):
        for _ in range(8):
            t += HOUR
            kept = next_time(kept, t + (2 * YEAR if day % 3 == 2 else 0), HOUR, agree=True)
        t += 16 * HOUR
        kept = next_time(kept, t, 0.0, agree=True)
    assert t - 5 * DAY < kept.t < t


def test_a_day_is_real_time() -> None:
    assert after(KeptTime(NOW), int(CLOCK_TRUST_AFTER_S / HOUR) * [YEAR]).t == NOW + DAY


def test_without_a_kept_time_the_newest_entry_tells_it() -> None:
    old = f"{round(1000 * (NOW - DAY))}-5"
    assert first_time(["0-0", old, "1-1"], NOW) == KeptTime(NOW - DAY)
    assert first_time([f"{round(1000 * (NOW + YEAR))}-0"], NOW) == KeptTime(NOW)
    assert first_time(["0-0"], NOW) == KeptTime(NOW)
