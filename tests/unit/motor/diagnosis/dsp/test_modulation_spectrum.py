"""Lines exceed the floor of noise of any colour, and noise alone does not."""

from dataclasses import astuple

import numpy as np
import pytest

from vtox.motor.diagnosis.dsp import demodulation, modulation_spectrum

RATE_HZ = 200.0


def noise(rng: np.random.Generator, batch: int, seconds: float, exponent: float) -> np.ndarray:
    """Two modulations with power spectra of f**-exponent, shape (2, batch, points)."""
    points = int(seconds * RATE_HZ)
    spectrum = np.fft.rfft(rng.standard_normal((2, batch, points)))
    hz = np.fft.rfftfreq(points, 1 / RATE_HZ)
    hz[0] = hz[1]
    return demodulation.detrend(np.fft.irfft(spectrum * hz ** (-exponent / 2), points), 3)


def strongest(
    modulation: np.ndarray, low_hz: float, high_hz: float
) -> modulation_spectrum.StrongestLine:
    m = modulation_spectrum.spectra(*modulation, RATE_HZ)
    batch = modulation.shape[1]
    return modulation_spectrum.strongest(m, np.full(batch, low_hz), np.full(batch, high_hz))


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 4.0])
@pytest.mark.parametrize(
    ("low_hz", "high_hz"), [(0.95, 1.05), (0.8, 2.9), (2.0, 2.1), (20.0, 25.0)]
)
def test_noise_alone_stays_below_the_thresholds(
    exponent: float, low_hz: float, high_hz: float
) -> None:
    x = noise(np.random.default_rng(7), 400, 9.8, exponent)
    statistic = strongest(x, low_hz, high_hz).statistic
    assert np.mean(statistic > 18) <= 0.0075
    assert np.quantile(statistic, 0.99) < 16


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 3.0, 4.0])
def test_floor_is_unbiased(exponent: float) -> None:
    x = noise(np.random.default_rng(8), 400, 9.8, exponent)
    line = strongest(x, 3.0, 3.0)
    m = modulation_spectrum.spectra(*x, RATE_HZ)
    power = np.mean(np.abs(m.am[:, line.index[0]]) ** 2)
    assert np.mean(line.am_floor) / power == pytest.approx(1.0, abs=0.12)


@pytest.mark.parametrize("hz", [0.4, 0.6, 0.8])
def test_floor_follows_the_corner_of_a_skirt(hz: float) -> None:
    rng = np.random.default_rng(12)
    x = noise(rng, 400, 19.6, 0.0) + 3 * noise(rng, 400, 19.6, 4.0)
    line = strongest(x, hz, hz)
    m = modulation_spectrum.spectra(*x, RATE_HZ)
    power = np.mean(np.abs(m.am[:, line.index[0]]) ** 2)
    assert 0.85 < np.mean(line.am_floor) / power < 1.2


@pytest.mark.parametrize("exponent", [0.0, 1.0])
def test_floor_is_unbiased_next_to_where_the_band_fades(exponent: float) -> None:
    x = noise(np.random.default_rng(12), 400, 9.8, exponent)
    spectrum = np.fft.rfft(x)
    spectrum[..., np.linspace(0, 1, spectrum.shape[-1]) > 0.95] *= 1e-3
    x = np.fft.irfft(spectrum, x.shape[-1])
    line = strongest(x, 47.0, 47.0)
    power = np.mean(np.abs(modulation_spectrum.spectra(*x, RATE_HZ).am[:, line.index[0]]) ** 2)
    assert np.mean(line.am_floor) / power == pytest.approx(1.0, abs=0.15)


def test_floor_hardly_follows_other_lines() -> None:
    rng = np.random.default_rng(9)
    x = noise(rng, 100, 9.8, 0.0)
    t = np.arange(x.shape[-1]) / RATE_HZ
    quiet = strongest(x, 2.0, 2.0).am_floor
    x[0] += sum(2 * np.cos(2 * np.pi * hz * t) for hz in (3.1, 4.3))  # 31 dB above the floor
    assert np.median(strongest(x, 2.0, 2.0).am_floor / quiet) < 3


def test_a_line_is_found_where_it_is() -> None:
    x = noise(np.random.default_rng(10), 50, 9.8, 1.0)
    t = np.arange(x.shape[-1]) / RATE_HZ
    x[1] += 3 * np.cos(2 * np.pi * 2.037 * t)
    line = strongest(x, 1.5, 2.5)
    m = modulation_spectrum.spectra(*x, RATE_HZ)
    assert np.all(line.statistic > 30)
    assert modulation_spectrum.refined_hz(m, line) == pytest.approx(np.full(50, 2.037), abs=0.02)
    assert np.all(np.isnan(line.neighbour_hz))


def test_a_line_next_to_the_interval_is_its_neighbour() -> None:
    x = noise(np.random.default_rng(11), 20, 9.8, 0.0)
    t = np.arange(x.shape[-1]) / RATE_HZ
    x[0] += 20 * np.cos(2 * np.pi * 2.15 * t)
    line = strongest(x, 1.9, 2.0)
    assert line.neighbour_hz == pytest.approx(np.full(20, 2.15), abs=0.04)


def test_sidebands_of_a_lower_line_alone() -> None:
    t = np.arange(2_000) / RATE_HZ
    z = 1 + 0.004 * np.exp(-1j * (2 * np.pi * 2.0 * t + 0.3))
    m = modulation_spectrum.spectra(np.abs(z)[None] - 1, np.angle(z)[None], RATE_HZ)
    lower, upper = m.sidebands(np.array([round(2.0 / m.step_hz)]))
    assert lower[0] == pytest.approx(0.004, rel=0.01)
    assert upper[0] < 1e-4


def test_unknown_interval_scores_nothing() -> None:
    x = noise(np.random.default_rng(12), 3, 4.0, 0.0)
    assert np.all(strongest(x, np.nan, np.nan).statistic == 0)


def test_floors_nearby_are_never_lower() -> None:
    x = noise(np.random.default_rng(13), 100, 9.8, 0.0)
    line, m = strongest(x, 2.0, 2.0), modulation_spectrum.spectra(*x, RATE_HZ)
    am, pm = modulation_spectrum.floors_nearby(m, line)
    assert np.all(am >= line.am_floor)
    assert np.all(pm >= line.pm_floor)


def test_each_sideband_has_the_floor_of_its_own_noise() -> None:
    rng = np.random.default_rng(14)
    lower = rng.standard_normal((200, 2_000)) + 1j * rng.standard_normal((200, 2_000))
    spectrum = np.fft.fft(lower)
    spectrum[:, :1_000] *= 0.1  # frequencies above the supply line
    t = np.arange(2_000) / RATE_HZ
    z = 1 + 1e-4 * np.fft.ifft(spectrum) + 1e-4 * np.exp(2j * np.pi * 20.0 * t)
    m = modulation_spectrum.spectra(np.abs(z) - 1, np.angle(z), RATE_HZ)
    line = modulation_spectrum.strongest(m, np.full(200, 20.0), np.full(200, 20.0))
    below, above = modulation_spectrum.sideband_floors(m, line)
    assert np.mean(below) / np.mean(above) == pytest.approx(100, rel=0.2)
    at = round(33.0 / m.step_hz)
    there = np.mean(np.abs(m.am[:, at] - 1j * m.pm[:, at]) ** 2)
    assert np.mean(below) == pytest.approx(there, rel=0.2)


def test_a_steep_floor_is_as_high_next_to_the_line_as_under_it() -> None:
    """Phase noise of a wandering supply, 1/f^4, 12 bins from the supply line."""
    x = noise(np.random.default_rng(15), 400, 20.0, 4.0)
    m = modulation_spectrum.spectra(*x, RATE_HZ)
    line = modulation_spectrum.strongest(m, np.full(400, 0.6), np.full(400, 0.6))
    true = np.mean(np.abs(m.pm[:, line.index[0]]) ** 2)
    _, pm = modulation_spectrum.sideband_floors(m, line)
    assert np.median(pm) / 2 == pytest.approx(true, rel=0.35)  # both modulations in one sideband


def test_lines_are_chosen_one_by_one() -> None:
    x = noise(np.random.default_rng(16), 2, 9.8, 0.0)
    low, high = strongest(x, 2.0, 3.0), strongest(x, 5.0, 6.0)
    line = modulation_spectrum.line_where(np.array([True, False]), low, high)
    assert line.hz.tolist() == [low.hz[0], high.hz[1]]
    assert line.statistic.tolist() == [low.statistic[0], high.statistic[1]]


def test_records_in_which_nothing_is_searched_leave_the_others_as_they_are() -> None:
    m = modulation_spectrum.spectra(*noise(np.random.default_rng(5), 6, 9.8, 1.0), RATE_HZ)
    low = np.array([1.0, np.nan, 2.0, 3.0, np.nan, 4.0])
    rows = np.flatnonzero(np.isfinite(low))
    found = modulation_spectrum.strongest(m, low, low + 1)
    alone = modulation_spectrum.strongest(m.select(rows), low[rows], low[rows] + 1)
    for of_batch, of_own in zip(astuple(found), astuple(alone), strict=True):
        assert of_batch[rows] == pytest.approx(of_own, nan_ok=True)
    assert np.all(found.statistic[np.isnan(low)] == 0)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 4.0])
def test_noise_at_one_place_stays_below_the_limit_there(exponent: float) -> None:
    """`MIN_OVER_FLOOR_AT_PLACE` of broken bars, and `MIN_OVER_FLOOR` of eccentricity."""
    x = noise(np.random.default_rng(17), 400, 9.8, exponent)
    m = modulation_spectrum.spectra(*x, RATE_HZ)
    over = []
    for hz in (1.5, 2.2, 2.9, 3.6, 4.3):
        line = strongest(x, hz - 0.05, hz + 0.05)
        am_floor, pm_floor = modulation_spectrum.floors_nearby(m, line)
        rows = np.arange(len(line.index))
        am, pm = m.am[rows, line.index], m.pm[rows, line.index]
        nearby = np.abs(am) ** 2 / am_floor + np.abs(pm) ** 2 / pm_floor
        over.append(np.minimum(line.statistic, nearby))
    assert np.mean(np.concatenate(over) > 14) <= 0.001
