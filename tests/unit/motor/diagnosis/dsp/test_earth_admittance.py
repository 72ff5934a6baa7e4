import numpy as np
import pytest

from vtox.motor.diagnosis.dsp import earth_admittance

A = np.exp(2j * np.pi / 3)
TURNS = A ** np.arange(3)


def attribution(
    admittance: complex, phase: int, *, changed: bool = True
) -> earth_admittance.Attribution:
    """The attribution of an admittance that phase 0, 1 or 2 has more than the others."""
    difference = np.array([admittance * TURNS[phase].conj()])
    return earth_admittance.attribute_to_phase(
        difference, np.array([1e-9]), TURNS[None], np.array([changed])
    )


@pytest.mark.parametrize("phase", [0, 1, 2])
@pytest.mark.parametrize("admittance", [1e-6, 1e-6j, -1e-6j, 1e-6 + 1e-7j, 3e-7 + 1e-6j])
def test_a_difference_is_attributed_to_the_phase_with_fewest_changes(
    phase: int, admittance: complex
) -> None:
    y = attribution(admittance, phase)
    assert y.phase[0] == phase
    assert y.conductance[0] == pytest.approx(admittance.real, abs=1e-12)
    assert y.susceptance[0] == pytest.approx(admittance.imag, abs=1e-12)
    assert y.possible[0, phase]


@pytest.mark.parametrize("phase", [0, 1, 2])
def test_a_difference_that_is_no_change_may_need_both_properties(phase: int) -> None:
    """Without a baseline a phase that leaks and holds more charge is likelier than one that lost.

    Less capacitance on the phase before looks the same; with a baseline it is named first and the
    leak is the other possibility.
    """
    both = 1e-6 * np.exp(1j * np.pi / 6)
    assert attribution(both, phase, changed=False).phase[0] == phase
    changed = attribution(both, phase)
    assert changed.phase[0] == (phase + 2) % 3
    assert changed.susceptance[0] == pytest.approx(-1e-6)
    assert changed.possible[0, phase]


def samples(
    own: complex, each: complex, *, zero: float = 0.0, third: float = 0.0, seconds: float = 1.0
) -> np.ndarray:
    """Residual current and voltages, 100 V peak at 50 Hz; phase b has `own` S more than `each`."""
    turn = np.exp(2j * np.pi * 50 * np.arange(round(2000 * seconds)) / 2000)
    volts = [100 * A**-p + 100 * zero for p in range(3)]
    y = [each, each + own, each]
    first = sum(v * x for v, x in zip(volts, y, strict=True))
    triple = sum(x.real + 3j * x.imag for x in y) * 100 * third
    phases = [(v * turn + 100 * third * turn**3).real for v in volts]
    return np.array([[(first * turn + triple * turn**3).real, *phases]])


def test_the_third_harmonic_gives_the_winding_and_the_fundamental_the_phase() -> None:
    x = samples(1e-6 + 2e-7j, 1e-8 + 1.5e-6j, zero=0.01, third=0.02)
    y = earth_admittance.estimate(x, 2000.0, np.array([50.0]))
    assert y is not None
    assert y.whole[0] == pytest.approx(1.03e-6 + 4.7e-6j, rel=1e-3)
    assert y.difference[0] * y.turns[0, 1] == pytest.approx(1e-6 + 2e-7j, rel=1e-2)


def test_without_zero_sequence_only_the_difference_is_measured() -> None:
    y = earth_admittance.estimate(samples(1e-6j, 1e-6j), 2000.0, np.array([50.0]))
    assert y is not None
    assert np.isnan(y.whole[0])
    assert np.isinf(y.whole_std[0]) or y.whole_std[0] > earth_admittance.WHOLE_STD_LIMIT_S
    assert y.difference[0] * y.turns[0, 1] == pytest.approx(1e-6j, rel=1e-3)


def test_a_record_shorter_than_a_frame_gives_no_estimate() -> None:
    short = samples(0j, 1e-6j, seconds=0.1)
    assert earth_admittance.estimate(short, 2000.0, np.array([50.0])) is None


@pytest.mark.parametrize("phase", range(3))
def test_the_fifth_harmonic_fits_the_phase_that_changed(phase: int) -> None:
    """One phase has capacitance of 1 uS more; at five times the frequency it draws 5 uS."""
    t = np.arange(2000) / 2000
    angle = 2 * np.pi * 50 * t - 2 * np.pi / 3 * np.arange(3)[:, None]
    fifth = 2 * np.pi * 250 * t + 2 * np.pi / 3 * np.arange(3)[:, None]  # turns backwards
    volts = 100 * np.cos(angle) + 2 * np.cos(fifth)
    amps = -1e-6 * (100 * np.sin(angle) + 5 * 2 * np.sin(fifth))
    x = np.concatenate([amps[phase : phase + 1], volts])[None]
    y = earth_admittance.estimate(x, 2000.0, np.array([50.0]))
    assert y is not None
    each = y.difference[:, None] * y.turns
    misfit = earth_admittance.fifth_harmonic_misfit(y, np.array([0]), each, np.zeros(1))
    assert misfit.shape == (1, 3)
    assert np.argmin(misfit[0]) == phase
    assert misfit[0, phase] < 1
    assert np.all(np.delete(misfit[0], phase) > 25)
