import numpy as np
import pytest

from tests.signals.phasor_motor import recording
from tests.unit.motor.diagnosis.diagnosers.insulation.cases import CHANNELS, insulation, winding
from vtox.motor.diagnosis.diagnosers.insulation.converter_steps import HARMONIC_OF_STEPS
from vtox.motor.values.domain import VOLTAGES, Array, Recording


def test_the_third_harmonic_of_a_stepped_sine_is_bounded() -> None:
    steps = np.linspace(32, 2_000, 500)[:, None]
    turn = np.arange(2_000) / 2_000
    stepped = np.rint(steps * np.sin(2 * np.pi * turn))
    third = 2 * np.abs(np.mean(stepped * np.exp(-6j * np.pi * turn), axis=-1))
    largest = float((third * np.sqrt(steps[:, 0])).max())
    assert 0.7 * HARMONIC_OF_STEPS < largest < 1.1 * HARMONIC_OF_STEPS


def in_steps(x: Array, bits: int) -> Array:
    step = np.abs(x).max() / 0.8 / 2 ** (bits - 1)
    return np.asarray(np.rint(x / step) * step, np.float32)


def through_converter(bits: int, siemens: float, *, third: float) -> Recording:
    x = recording(winding(earth_s=(siemens,) * 3, third=third), fs_hz=10_000.0, channels=CHANNELS)
    coarse = {n: in_steps(x.channels[n], bits) for n in (*VOLTAGES, "leakage")}
    return Recording(dict(x.channels) | coarse, x.fs_hz)


@pytest.mark.parametrize(
    ("bits", "siemens", "third", "state", "code"),
    [
        (7, 1e-6, 0.002, "unknown", "converter_resolution"),
        (12, 1e-6, 0.01, "fault", "winding_leaks"),
        (12, 1e-8, 0.01, "normal", "insulation_sound"),
    ],
)
def test_a_loss_in_all_phases_needs_enough_steps(
    bits: int, siemens: float, third: float, state: str, code: str
) -> None:
    d = insulation(through_converter(bits, siemens, third=third))
    assert (d.state, d.code) == (state, code)
