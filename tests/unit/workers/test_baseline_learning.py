"""For how much of its time a process learns baselines."""

from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from workers import baseline_learning
from workers.baseline_learning import LEARNING_SHARE, LOG_EVERY_S, LearningTime


class Clock:
    """A clock that a test moves on."""

    t = 100.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(baseline_learning, "time", SimpleNamespace(monotonic=lambda: clock.t))
    return clock


def learn_while_due(clock: Clock, own: LearningTime, machine_s: float) -> float:
    """Learn machine after machine as long as that is allowed; return how long it took."""
    began_t = clock.t
    while own.due:
        clock.t += machine_s
        own.spend(machine_s)
    return clock.t - began_t


@pytest.mark.parametrize("task_s", [0.05, 0.4])
@pytest.mark.parametrize("machine_s", [0.05, 2.0])
def test_learning_takes_its_share_of_the_time(
    clock: Clock, task_s: float, machine_s: float
) -> None:
    own, learnt_s, began_t = LearningTime(), 0.0, clock.t
    while clock.t < began_t + 200.0:
        clock.t += task_s
        learnt_s += learn_while_due(clock, own, machine_s)
    assert learnt_s / (clock.t - began_t) == pytest.approx(LEARNING_SHARE, abs=0.02)


def test_after_a_quiet_time_it_does_not_go_on_for_long(clock: Clock) -> None:
    assert learn_while_due(clock, LearningTime(), 0.05) == pytest.approx(0.35)


def test_machines_whose_windows_are_gone_fill_no_log(clock: Clock) -> None:
    own = LearningTime()
    with capture_logs() as lines:
        for n in range(int(1.5 * LOG_EVERY_S)):
            clock.t += 1.0
            own.note_too_late(f"V{n % 50:03d}")
    assert [line["machines"] for line in lines] == [1, 50]
