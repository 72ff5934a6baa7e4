import numpy as np
import pytest

from vtox.dsp.shaft_lines import shaft_line_amplitudes

FS_HZ = 5000.0
ORDERS = np.arange(1, 13) / 2


def amplitudes(
    tones: dict[float, float], *, shaft_hz: float = 24.3, read: float = 1.0
) -> np.ndarray:
    """Tones by order, in noise of RMS 1."""
    t = np.arange(20_000) / FS_HZ
    x = np.random.default_rng(1).standard_normal(len(t))
    for order, size in tones.items():
        x += size * np.cos(2 * np.pi * order * shaft_hz * t + order)
    lines_hz = ORDERS * shaft_hz * read
    return shaft_line_amplitudes(x, FS_HZ, lines_hz, 0.005, np.full(len(ORDERS), 0.5))


@pytest.mark.parametrize("read", [0.996, 1.0, 1.004])
def test_the_amplitude_of_each_line_is_returned(read: float) -> None:
    found = amplitudes({0.5: 2.0, 1.0: 4.0, 3.0: 1.0, 6.0: 3.0}, read=read)
    expected = np.zeros(12)
    expected[[0, 1, 5, 11]] = 2.0, 4.0, 1.0, 3.0 * np.sinc(6 * 24.3 * 8 / FS_HZ)
    assert found == pytest.approx(expected, abs=0.1)


def test_noise_and_lines_between_the_orders_are_none() -> None:
    assert not amplitudes({}).any()
    assert not amplitudes({1.25: 4.0, 2.75: 4.0}).any()
    loud = np.random.default_rng(2).standard_normal(20_000) * 30
    assert not shaft_line_amplitudes(loud, FS_HZ, 24.3 * ORDERS, 0.005, np.full(12, 0.5)).any()


def test_silence_and_a_short_record_show_nothing() -> None:
    least = np.full(12, 0.5)
    for samples in (20_000, 200):
        x = np.zeros(samples, np.float32)
        assert not shaft_line_amplitudes(x, FS_HZ, 24.3 * ORDERS, 0.005, least).any()
