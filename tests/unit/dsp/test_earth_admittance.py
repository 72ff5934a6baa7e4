import numpy as np
import pytest

from vtox.dsp import earth_admittance

A = np.exp(2j * np.pi / 3)
TURNS = A ** np.arange(3)
KNOWN = np.array([True])


def attribution(
    admittance: complex, phase: int, *, changed: bool = True
) -> earth_admittance.Attribution:
    """To what an admittance is attributed that phase 0, 1 or 2 has more than the others."""
    difference = np.array([admittance * TURNS[phase].conj()])
    return earth_admittance.attribute_to_phase(
        difference, np.array([1e-9]), TURNS[None], np.array([changed])
    )


@pytest.mark.parametrize("phase", [0, 1, 2])
@pytest.mark.parametrize("admittance", [1e-6, 1e-6j, -1e-6j, 1e-6 + 1e-7j, 3e-7 + 1e-6j])
def test_the_fewest_changes_name_the_phase(phase: int, admittance: complex) -> None:
    found = attribution(admittance, phase)
    assert found.phase[0] == phase
    assert found.conductance[0] == pytest.approx(admittance.real, abs=1e-12)
    assert found.susceptance[0] == pytest.approx(admittance.imag, abs=1e-12)
    assert found.possible[0, phase]


@pytest.mark.parametrize("phase", [0, 1, 2])
def test_what_was_always_there_is_no_loss_of_capacitance(phase: int) -> None:
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
    """Residual current and voltages, 100 V peak at 50 Hz; phase b has `own` S beside `each`."""
    turn = np.exp(2j * np.pi * 50 * np.arange(round(2000 * seconds)) / 2000)
    volts = [100 * A**-p + 100 * zero for p in range(3)]
    y = [each, each + own, each]
    first = sum(v * x for v, x in zip(volts, y, strict=True))
    triple = sum(x.real + 3j * x.imag for x in y) * 100 * third
    phases = [(v * turn + 100 * third * turn**3).real for v in volts]
    return np.array([[(first * turn + triple * turn**3).real, *phases]])


def test_the_third_harmonic_shows_the_winding_and_the_fundamental_the_phase() -> None:
    x = samples(1e-6 + 2e-7j, 1e-8 + 1.5e-6j, zero=0.01, third=0.02)
    found = earth_admittance.estimate(x, 2000.0, np.array([50.0]))
    assert found is not None
    assert found.whole[0] == pytest.approx(1.03e-6 + 4.7e-6j, rel=1e-3)
    assert found.difference[0] * found.turns[0, 1] == pytest.approx(1e-6 + 2e-7j, rel=1e-2)


def test_without_zero_sequence_only_what_differs_shows() -> None:
    found = earth_admittance.estimate(samples(1e-6j, 1e-6j), 2000.0, np.array([50.0]))
    assert found is not None
    assert np.isnan(found.whole[0])
    assert np.isinf(found.whole_std[0]) or found.whole_std[0] > earth_admittance.WHOLE_STD_LIMIT_S
    assert found.difference[0] * found.turns[0, 1] == pytest.approx(1e-6j, rel=1e-3)


def test_a_record_shorter_than_a_frame_shows_nothing() -> None:
    short = samples(0j, 1e-6j, seconds=0.1)
    assert earth_admittance.estimate(short, 2000.0, np.array([50.0])) is None
