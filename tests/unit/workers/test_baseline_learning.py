"""For how much of its time a process learns baselines."""

import time

import pytest

from workers.baseline_learning import LEARNING_SHARE, LearningTime


def test_learning_takes_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, learnt_s, own = 0.0, 0.0, LearningTime()
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    while now_s < 100.0:
        if own.due:
            now_s += 0.05
            learnt_s += 0.05
            own.pause(0.05)
        now_s += 0.01
    assert learnt_s / now_s == pytest.approx(LEARNING_SHARE, abs=0.03)
