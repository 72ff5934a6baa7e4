"""The sideband pair of a rotor cage whose load, and so whose slip, moves within the record.

The slip follows the active current. Amplitude and phase modulation are resampled from time to the
angle of slip, where the lines at 2sf are sharp again, and tested as those of a steady load. How
steeply the slip follows is not known exactly: several ways are tried and the best line is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vtox.motor.diagnosis.diagnosers.broken_bar.sidebands import (
    NEEDED_BINS,
    SidebandPairs,
    sideband_pairs,
    strongest_line,
)
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis, select
from vtox.motor.diagnosis.diagnosers.current.slip import SlipAnalysis
from vtox.motor.diagnosis.diagnosers.current.slip_prior import Slip
from vtox.motor.diagnosis.dsp import demodulation, modulation_spectrum, order_tracking
from vtox.motor.values.arrays import Bool, Complex, Float64, Int

# Relative change of slip over that of the level it follows. The first level is the active current
# over the voltage, of which a part is losses. The second is the current: least at rated load; at
# light load the reactive current hides a part.
# docs/calibration/broken_bar.md#slip-that-moves
SENSITIVITIES_OF_ACTIVE_CURRENT = (0.95, 1.3)
SENSITIVITIES_OF_CURRENT = (1.0, 3.0)


@dataclass(frozen=True, slots=True)
class _Tracking:
    """Movement of the slip within each record, arrays of shape (batch,).

    `over_fixed` is the power over floor of the line, over that of the best at a fixed frequency:
    whether the line moved with the slip.
    """

    lowest_slip: Float64
    highest_slip: Float64
    over_fixed: Float64


@dataclass(frozen=True, slots=True)
class _Modulations:
    """Modulations over the slow amplitude and phase of each recording, shape (batch, points)."""

    am: Float64
    pm: Float64
    voltage: tuple[Float64, Float64] | None  # the same of the voltages
    level: Float64  # that the slip follows, over its mean
    is_active: Bool  # (batch,) whether that is the active current over the voltage
    rate_hz: float


def tracked_pairs(
    analysis: CurrentAnalysis, slip_analysis: SlipAnalysis, rows: Int
) -> tuple[SidebandPairs, _Tracking]:
    """Return pairs and tracking of the recordings `rows`, over the angle of their slip."""
    part, of = select(analysis, rows), slip_analysis.select(rows)
    m = _modulations(part, of.slips)
    owner, speed = _tries(m, part, of.slips)
    places = order_tracking.equal_angles(speed)
    _, line = strongest_line(select(part, owner), _over(of.select(owner), m, owner, places))
    best = np.array([_best(line.statistic, owner == k) for k in range(len(rows))])
    low, high = speed[best].min(axis=-1), speed[best].max(axis=-1)
    slips = tuple(map(_wider, of.slips, (high - low).tolist()))
    each = np.arange(len(rows))
    tracked = _over(replace(of, slips=slips), m, each, places[best])
    pairs = sideband_pairs(part, tracked, least_over_floor=modulation_spectrum.MIN_OVER_FLOOR_CLEAR)
    found = pairs.hz / 2 / part.f0_hz
    near = tuple(map(_within, slips, found.tolist(), (high - low).tolist()))
    _, fixed = strongest_line(part, _over(replace(of, slips=near), m, each, None))
    over_fixed = pairs.over_floor / np.maximum(fixed.statistic, 1.0)
    return pairs, _Tracking(found * low, found * high, over_fixed)


def _modulations(analysis: CurrentAnalysis, slips: Sequence[Slip]) -> _Modulations:
    inner = demodulation.inner_points(analysis.envelope.shape[-1], analysis.rate_hz)
    i = analysis.envelope[:, inner].astype(np.complex128)
    least_hz = NEEDED_BINS * analysis.rate_hz / i.shape[-1]
    lowest_hz = np.maximum(2 * analysis.f0_hz * np.array([s.low for s in slips]), least_hz)
    points = np.round(analysis.rate_hz / lowest_hz).astype(int)
    am, pm, level = _remove_slow(i, points)
    is_active, voltage = np.zeros(len(i), bool), None
    if analysis.envelope_v.shape[-1]:
        v = analysis.envelope_v[:, inner].astype(np.complex128)
        voltage = _remove_slow(v, points)[:2]
        power = np.abs(v) ** 2
        active = (v * i.conj()).real / np.maximum(power, 1e-12 * power.max())
        # The angle between currents and voltages that do not belong together is not known.
        is_active = np.isfinite(analysis.lag_rad) & (active.mean(axis=-1) > 0)
        is_active &= np.array([not p for p in analysis.voltage_problems])
        level = np.where(is_active[:, None], _smooth(active, points), level)
    level = level / level.mean(axis=-1, keepdims=True)
    return _Modulations(am, pm, voltage, level, is_active, analysis.rate_hz)


def _remove_slow(z: Complex, points: Int) -> tuple[Float64, Float64, Float64]:
    """Return amplitude (ratio) and phase (rad) over the slow ones, and the slow amplitude."""
    amplitude, phase = np.abs(z), demodulation.unwrap(np.angle(z))
    slow = _smooth(amplitude, points)
    slow = np.maximum(slow, 1e-6 * slow.max(axis=-1, keepdims=True))
    return amplitude / slow - 1, phase - _smooth(phase, points), slow


def _smooth(x: Float64, points: Int) -> Float64:
    rows = [order_tracking.smooth(x[k : k + 1], n) for k, n in enumerate(points.tolist())]
    return np.concatenate(rows)


def _tries(
    m: _Modulations, analysis: CurrentAnalysis, slips: Sequence[Slip]
) -> tuple[Int, Float64]:
    """Return the recording of each try, and the slip over its mean there, (tries, points)."""
    owners, speeds = list[int](), list[Float64]()
    duration_s = m.level.shape[-1] / m.rate_hz
    for k, level in enumerate(m.level):
        active = bool(m.is_active[k])
        low, high = SENSITIVITIES_OF_ACTIVE_CURRENT if active else SENSITIVITIES_OF_CURRENT
        spread_bins = np.std(level) * 2 * slips[k].high * analysis.f0_hz[k] * duration_s
        # In up to six steps, that leave a line spread by a bin (rms) at most.
        steps = float(np.ceil((high - low) * spread_bins / 2))
        for sensitivity in np.linspace(low, high, int(np.clip(steps, 2, 6))):
            owners.append(k)
            speeds.append(_relative_slip(level, sensitivity, active))
    return np.array(owners), np.array(speeds)


def _relative_slip(level: Float64, sensitivity: float, active: bool) -> Float64:
    """Return the slip over its mean, shape (points,).

    Linear in an active current; for a current, as if a part of it were reactive and constant.
    """
    if active:
        slip = 1 + sensitivity * (level - 1)
    else:
        slip = np.sqrt(np.maximum(level**2 - 1 + 1 / sensitivity, 0.0))
    slip = np.maximum(slip, 0.1 * slip.mean())
    return np.asarray(slip / slip.mean(), np.float64)


def _best(statistic: Float64, among: Bool) -> int:
    return int(np.argmax(np.where(among, statistic, -1.0)))


def _over(of: SlipAnalysis, m: _Modulations, owner: Int, places: Float64 | None) -> SlipAnalysis:
    """Return a slip analysis with the modulations of `owner` over `places`, or over time."""

    def spectra(am: Float64, pm: Float64) -> modulation_spectrum.Modulation:
        both = am[owner], pm[owner]
        if places is not None:
            both = (
                order_tracking.resample(both[0], places),
                order_tracking.resample(both[1], places),
            )
        return modulation_spectrum.spectra(*both, m.rate_hz)

    voltage = spectra(*m.voltage) if m.voltage else None
    return replace(of, modulation=spectra(m.am, m.pm), voltage=voltage)


def _wider(slip: Slip, movement: float) -> Slip:
    """Return the slip, wider if it comes from lines that the movement spreads."""
    if slip.source not in ("slot harmonics", "rotor speed sidebands"):
        return slip
    return replace(slip, half=max(slip.half, slip.value * movement / 2))


def _within(slip: Slip, value: float, movement: float) -> Slip:
    """Return the slips within which a line at a fixed frequency would be spread by tracking."""
    return replace(slip, value=value, half=value * movement / 2)
