"""The time that a diagnosis may take."""

import time

import pytest

from vtox.settings import load
from workers.time_limit import DiagnosisTimeout, limit_s, time_limit


def test_the_time_limit_grows_with_the_samples() -> None:
    assert limit_s(50_000_000, 50) > 25
    assert limit_s(100_000_000, 1) > 45


def test_a_small_record_of_a_batch_may_take_as_long_as_the_usual_one() -> None:
    usual = limit_s(256 * 80_000, 256)
    assert limit_s(256 * 8_000, 256) == pytest.approx(usual, rel=0.01)


def test_a_full_batch_ends_before_its_records_are_dispatched_again() -> None:
    s = load()
    for size in (8_000, 80_000):
        assert limit_s(s.batch_windows * size, s.batch_windows) < s.redispatch_after_s


def test_what_takes_too_long_is_ended() -> None:
    began = time.perf_counter()
    with pytest.raises(DiagnosisTimeout), time_limit(0.05):
        time.sleep(5)
    assert time.perf_counter() - began < 4


def test_nothing_strikes_after_a_diagnosis_in_time() -> None:
    with time_limit(0.05):
        pass
    time.sleep(0.1)
