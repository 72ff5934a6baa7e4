"""One row for each fault, and only the inputs of the requested faults are computed."""

from dataclasses import replace

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, Machine, recording
from vtox.motor.diagnosis.diagnosers import registry
from vtox.motor.diagnosis.diagnosers.shared_analysis import load_a
from vtox.motor.faults import FAULTS
from vtox.motor.values.domain import Recording


def test_every_fault_has_its_row() -> None:
    assert list(registry.DIAGNOSERS) == list(FAULTS)


@pytest.mark.parametrize(
    ("faults", "frames", "slip"),
    [
        (["turn_short"], True, False),
        (["insulation"], False, False),
        (["eccentricity"], False, True),
        (["broken_bar"], False, True),
        (["bearing"], False, False),
        (list(FAULTS), True, True),
        ([], False, False),
    ],
)
def test_only_what_is_needed_is_computed(faults: list[str], frames: bool, slip: bool) -> None:
    shared = registry.analyse([recording(Machine())], [MOTOR], faults)
    assert bool(shared.analysis.sequence_i.shape[-1]) == frames
    assert (shared.slip is not None) == slip


@pytest.mark.parametrize("speed_rpm", [None, 1450.0])
def test_a_bearing_needs_slip_where_no_speed_is_measured(speed_rpm: float | None) -> None:
    r = recording(Machine())
    r = Recording({**r.channels, "vibration": np.zeros(r.samples)}, r.fs_hz)
    shared = registry.analyse([replace(r, speed_rpm=speed_rpm)], [MOTOR], ["bearing"])
    assert (shared.slip is not None) == (speed_rpm is None)


def test_load_is_the_positive_sequence_current() -> None:
    loads_a = load_a(registry.analyse([recording(Machine())], [MOTOR], []))
    assert loads_a == pytest.approx([abs(6.8 - 5j)], rel=0.02)
    voltages = recording(Machine(), channels=("va", "vb", "vc"))
    assert np.isnan(load_a(registry.analyse([voltages], [MOTOR], []))).all()
