"""Limits of the alarms of the system agree with their sources."""

from vtox.motor.values.record_lengths import MAX_RECORD_S
from vtox.pipeline.bridge.loop import ORPHAN_SEARCH_EVERY_S
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.monitoring.conditions import OPEN_RECORD_MAX_S, STALLED_S, unassigned_limit_s
from workers.time_limit import limit_s


def test_a_batch_with_a_record_that_hangs_is_not_stalled() -> None:
    s = load()
    batch_s = limit_s(s.batch_windows * 80_000, s.batch_windows) + limit_s(80_000, 1)
    assert batch_s <= STALLED_S


def test_a_window_that_a_bridge_may_hold_is_no_orphan() -> None:
    settings = load(redispatch_after_s=50.0)
    assert OPEN_RECORD_MAX_S > 2 * MAX_RECORD_S
    assert unassigned_limit_s(settings) >= OPEN_RECORD_MAX_S + ORPHAN_SEARCH_EVERY_S + 50
