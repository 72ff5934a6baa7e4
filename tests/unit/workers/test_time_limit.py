"""The time that a diagnosis may take."""

import signal
import subprocess
import sys
import time

import pytest

from vtox.pipeline.configuration.settings import load
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


def test_what_computes_for_too_long_is_ended() -> None:
    began = time.process_time()
    with pytest.raises(DiagnosisTimeout), time_limit(0.05):
        compute(10.0)
    assert time.process_time() - began < 4


def test_what_waits_for_a_core_is_not_ended() -> None:
    with time_limit(0.05):
        time.sleep(0.2)


def test_nothing_strikes_after_a_diagnosis_in_time() -> None:
    with time_limit(0.05):
        pass
    compute(0.1)


def test_code_that_does_not_return_to_python_ends_its_process() -> None:
    code = """
import hashlib
from workers.time_limit import time_limit
with time_limit(0.05):
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGVTALRM


def compute(cpu_s: float) -> None:
    end = time.process_time() + cpu_s
    while time.process_time() < end:
        pass
