import numpy as np
import pytest

from vtox.motor.diagnosis.dsp.shaft_lines import shaft_line_amplitudes

FS_HZ = 5000.0
ORDERS = np.arange(1, 13) / 2


def of_one(x: np.ndarray, lines_hz: np.ndarray) -> np.ndarray:
    least = np.full((1, len(ORDERS)), 0.5)
    return shaft_line_amplitudes([x], FS_HZ, lines_hz[None], [0.005], least)[0]


def amplitudes(
    tones: dict[float, float], *, shaft_hz: float = 24.3, read: float = 1.0
) -> np.ndarray:
    """Tones by order, in noise of RMS 1."""
    t = np.arange(20_000) / FS_HZ
    x = np.random.default_rng(1).standard_normal(len(t))
    for order, size in tones.items():
        x += size * np.cos(2 * np.pi * order * shaft_hz * t + order)
    lines_hz = ORDERS * shaft_hz * read
    return of_one(x, lines_hz)


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
    assert not of_one(loud, 24.3 * ORDERS).any()


def test_silence_and_a_short_record_show_nothing() -> None:
    for samples in (20_000, 200):
        assert not of_one(np.zeros(samples, np.float32), 24.3 * ORDERS).any()


def test_records_of_a_batch_have_the_amplitudes_that_each_has_alone() -> None:
    rng = np.random.default_rng(4)
    speeds_hz = rng.uniform(12, 60, 9)
    t = np.arange(20_000) / FS_HZ
    signals = [
        rng.standard_normal(len(t)) + 3 * (k % 3) * np.cos(2 * np.pi * hz * t)
        for k, hz in enumerate(speeds_hz)
    ]
    lines_hz = np.multiply.outer(speeds_hz, ORDERS)
    tolerances, least = [0.003, 0.005, 0.02] * 3, np.full((9, 12), 0.5)
    together = shaft_line_amplitudes(signals, FS_HZ, lines_hz, tolerances, least)
    for k, row in enumerate(together):
        alone = shaft_line_amplitudes(
            signals[k : k + 1], FS_HZ, lines_hz[k : k + 1], tolerances[k : k + 1], least[:1]
        )
        assert np.array_equal(alone[0], row)
    assert np.count_nonzero(together.any(axis=1)) == 6
