"""The time that a diagnosis may take."""

import time

import pytest

from vtox.settings import load
from workers.time_limit import DiagnosisTimeout, limit_s, time_limit


def test_the_time_limit_grows_with_the_samples() -> None:
    settings = load()
    assert limit_s(settings.batch_windows * 80_000) < settings.redispatch_after_s
    assert limit_s(50_000_000) > 25


def test_what_takes_too_long_is_ended() -> None:
    began = time.perf_counter()
    with pytest.raises(DiagnosisTimeout), time_limit(0.05):
        time.sleep(5)
    assert time.perf_counter() - began < 4


def test_nothing_strikes_after_a_diagnosis_in_time() -> None:
    with time_limit(0.05):
        pass
    time.sleep(0.1)
