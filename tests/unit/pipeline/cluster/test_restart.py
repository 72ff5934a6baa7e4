"""The restart policy: at once after service, pauses that grow after failures to start."""

import asyncio
from collections.abc import Iterable

import pytest

from vtox.pipeline.cluster import restart
from vtox.pipeline.cluster.restart import RunEnd, keep_running

FIRST_PAUSE_S = 0.001
READY, NEVER_READY = True, False


def pauses(runs: Iterable[bool], runs_s: float = 0.0) -> list[float]:
    """Return the pauses, in units of the first one, after runs that were ready or never were."""
    listed = list(runs)
    remaining, observed = iter(listed), list[float]()

    async def run_once() -> RunEnd:
        await asyncio.sleep(runs_s)
        return RunEnd(1, "ended", next(remaining))

    def restart_after(_: RunEnd, pause_s: float) -> bool:
        observed.append(pause_s / FIRST_PAUSE_S)
        return len(observed) < len(listed)

    asyncio.run(
        keep_running(
            run_once, asyncio.Event(), first_pause_s=FIRST_PAUSE_S, restart_after=restart_after
        )
    )
    return observed


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restart, "PAUSE_MAX_S", 8 * FIRST_PAUSE_S)


def test_failures_to_start_back_off_up_to_the_longest_pause() -> None:
    assert pauses([NEVER_READY] * 6) == [1, 2, 4, 8, 8, 8]


def test_after_service_a_restart_begins_at_once_however_often_it_was_killed() -> None:
    assert pauses([READY] * 6) == [1] * 6
    assert pauses([NEVER_READY] * 4 + [READY, NEVER_READY]) == [1, 2, 4, 8, 1, 2]


def test_a_loop_of_brief_readiness_backs_off_once_its_quick_restarts_are_used_up() -> None:
    n = restart.QUICK_RESTARTS_MAX
    assert pauses([READY] * (n + 4)) == [1] * n + [2, 4, 8, 8]


def test_quick_restarts_are_there_again_a_minute_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restart, "QUICK_RESTARTS_S", 0.05)
    assert pauses([READY] * 20, runs_s=0.01) == [1] * 20
