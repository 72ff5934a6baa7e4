"""A trend is made from the finest table that still has its beginning, in at most so many steps."""

import pytest

from vtox.pipeline.configuration.settings import load
from vtox.pipeline.configuration.tables import Keep
from vtox.reporting.history.resolution import HOURS, MINUTES, RECORDS, STEPS_S, grid
from vtox.reporting.history.retention import Oldest, oldest_kept

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
NOW_S = 1_800_000_000
OLDEST = oldest_kept(load(), 1000 * NOW_S)


@pytest.mark.parametrize(
    ("span_s", "source", "step_s"),
    [
        (300, "records", 0),
        (3600, "minutes", 60),
        (86_400, "minutes", 300),
        (7 * 86_400, "minutes", 1800),
        (30 * 86_400, "hours", 7200),
        (365 * 86_400, "hours", 86_400),
    ],
)
def test_a_span_has_at_most_so_many_steps(span_s: int, source: str, step_s: int) -> None:
    found = grid("auto", NOW_S - span_s, NOW_S, 500, OLDEST)
    assert (found.source, found.step_s) == (source, step_s)
    assert not step_s or span_s / step_s <= 500


def test_a_short_span_of_long_ago_is_of_what_is_kept_of_then() -> None:
    assert grid("auto", NOW_S - 2 * 86_400, NOW_S - 2 * 86_400 + 60, 500, OLDEST) == MINUTES
    assert grid("auto", NOW_S - 90 * 86_400, NOW_S - 90 * 86_400 + 60, 500, OLDEST) == HOURS


def test_a_resolution_that_is_asked_for_is_given() -> None:
    spans = (NOW_S - 90 * 86_400, NOW_S)
    found = [grid(r, *spans, 500, OLDEST) for r in ("raw", "minute", "hour")]
    assert found == [RECORDS, MINUTES, HOURS]


def test_steps_of_hours_are_whole_hours() -> None:
    assert all(s % 3600 == 0 or 3600 % s == 0 for s in STEPS_S)


def test_each_table_is_kept_at_least_as_long_as_the_finer_one() -> None:
    settings = load(keep=Keep(history_records="48h", history_minutes="1d", history_hours="1d"))
    now_ms = 100 * DAY_MS
    two_days_ago = now_ms - 48 * HOUR_MS
    assert oldest_kept(settings, now_ms) == Oldest(two_days_ago, two_days_ago, two_days_ago)
