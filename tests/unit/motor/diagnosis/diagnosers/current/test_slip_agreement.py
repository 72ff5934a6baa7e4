"""Sources of a slip exclude each other only beyond the differences of sound machines."""

from dataclasses import replace

import numpy as np
import pytest

from tests.signals.current_lines import MOTOR, Machine, recording
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosers.current.slip_agreement import (
    SlipRange,
    nameplate_ranges,
    other_slips,
)
from vtox.motor.diagnosis.diagnosers.current.slip_prior import Slip, no_slip
from vtox.motor.values.domain import Motor, reason

RANGE = SlipRange(0.01, 0.04, "nameplate and load")


def nameplate_range(motor: Motor) -> SlipRange | None:
    analysis = front_end([recording(Machine(rms_a=10.0), np.random.default_rng(0))], [motor])
    (got,) = nameplate_ranges(analysis, (2,))
    return got


@pytest.mark.parametrize(("value", "excluded"), [(0.0089, True), (0.0095, False), (0.042, True)])
def test_a_slip_is_excluded_with_all_its_uncertainty(value: float, excluded: bool) -> None:
    assert RANGE.excludes(Slip(value, 1e-3, "speed sensor")) is excluded


def test_a_rounded_rated_speed_allows_more() -> None:
    exact, rounded = (
        nameplate_range(replace(MOTOR, rated_speed_rpm=rpm)) for rpm in (1491.0, 1490.0)
    )
    assert exact is not None
    assert rounded is not None
    assert rounded.high > 1.3 * exact.high
    assert rounded.low < exact.low


def test_no_nameplate_excludes_nothing() -> None:
    assert nameplate_range(replace(MOTOR, rated_speed_rpm=None)) is None


def test_lines_elsewhere_count_between_the_slips_that_fewer_than_two_sources_exclude() -> None:
    slips = [
        Slip(0.02, 1e-3, "speed sensor"),
        Slip(0.02, 1e-3, "slot harmonics"),
        Slip(0.02, 1e-2, "nameplate and load"),
        no_slip(reason("rated_speed_unknown")),
    ]
    low, high = other_slips(slips, [RANGE] * 3 + [None], 0.001, np.full(4, 0.12))
    assert low == pytest.approx([0.01, np.nan, 0.001, 0.001], nan_ok=True)
    assert high == pytest.approx([0.04, np.nan, 0.12, 0.12], nan_ok=True)
    (low,), (high,) = other_slips(slips[:1], [None], 0.001, np.full(1, 0.12))
    assert (low, high) == (0.001, 0.12)
