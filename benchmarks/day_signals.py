"""What healthy machines send over a day (`benchmarks.day_profiles`), clamps in error.

The signals follow the equations of `vtox.simulator`, but cheaper: what is slow lies on a grid of
100 Hz and is interpolated onto carriers kept in tables, and samples are made as counts. Nothing
repeats: every window has noise of its own.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
import numpy.typing as npt

from benchmarks.day_profiles import UNBALANCE_S, Day
from vtox.arrays import Complex64, Float32, Float64, Int16
from vtox.domain import CURRENTS, VOLTAGES, Recording
from vtox.simulator.currents_and_voltages import power_factor
from vtox.simulator.fleet import Machine
from vtox.simulator.noise import GRID_HZ, coloured, subkey, waves

TURN = np.exp(2j * np.pi / 3)
# Negative-sequence impedance, third and fifth harmonic and zero sequence of the voltages, and noise
# of amplitude and phase: as in `vtox.simulator`, per unit.
Z_NEGATIVE = 0.04 + 0.16j
THIRD, FIFTH, ZERO = 0.010, 0.012, 0.003
AMPLITUDE_NOISE, PHASE_NOISE_RAD = 3e-4, 6e-4
HEALTHY_S = 1e-8  # conductance to earth of one phase
LEAKAGE_NOISE_A, TACHOMETER_ERROR = 10e-6, 1e-4
STEPS = 32_767


@dataclass(frozen=True, slots=True)
class Made:
    """A window as an instrument hands it over: counts and what one count is worth."""

    counts: dict[str, Int16]
    scales: dict[str, float]
    speed_rpm: float | None

    def recording(self, fs_hz: float) -> Recording:
        """Return the same in units."""
        x = {c: n.astype(np.float32) * np.float32(self.scales[c]) for c, n in self.counts.items()}
        return Recording(x, fs_hz, self.speed_rpm)


def window(day: Day, start_s: float, seconds: float, fs_hz: float) -> Made:
    """Return what the machine sends from `start_s` on; `fs_hz` is a multiple of 100 Hz."""
    m = day.machine
    slow = _slow(day, start_s, round(seconds * GRID_HZ))
    ratio = round(fs_hz / GRID_HZ)
    z = _onto(slow.supply, m.body.run_hz, ratio)
    shaft = _onto(slow.shaft, m.body.run_hz / slow.pole_pairs, ratio)
    clean = _currents(day, slow, z, shaft, ratio)
    if "va" in m.channels:
        clean |= _voltages(day, slow, z, ratio)
    clean["vibration"] = _vibration(m, z, shaft)
    counts, scales = {}, {}
    for name in m.channels:
        noise, full_scale = _instrument(m, name)
        step = full_scale / STEPS
        x = day.rng.standard_normal(len(z), np.float32)
        x *= np.float32(noise / step)
        x += np.float32(1 / step) * clean[name]
        # Full scale is several times what a healthy machine shows: nothing is clipped.
        counts[name] = np.rint(x, out=x).astype("<i2")
        scales[name] = step
    rpm = slow.speed_rpm * (1 + TACHOMETER_ERROR * day.rng.standard_normal())
    return Made(counts, scales, round(rpm, 1) if m.body.tachometer else None)


@dataclass(frozen=True, slots=True)
class _Slow:
    """What is slow, at the points of the grid (one more than there are intervals)."""

    supply: Complex64  # phasors less their carriers: of the supply, the shaft, twice slip frequency
    shaft: Complex64
    twice_slip: Complex64
    shaft_turns: Float64  # less the carrier's
    start_s: float
    load: Float64
    gain: Float64
    unbalance: Complex64
    pole_pairs: int
    speed_rpm: float


def _slow(day: Day, start_s: float, intervals: int) -> _Slow:
    m = day.machine
    body, motor = m.body, m.motor
    assert motor.pole_pairs
    assert motor.supply_hz
    assert motor.rated_slip
    key = subkey(m.key, 92)
    first, count = round(start_s * GRID_HZ), intervals + 1
    t = (first + np.arange(count)) / GRID_HZ
    _, drift = waves(subkey(key, 1), t, low_hz=0.003, high_hz=0.06)
    jitter = coloured(subkey(key, 2), first, count, exponent=2.0, top_hz=20.0)
    flicker = coloured(subkey(key, 4), first, count, exponent=1.0, top_hz=20.0)
    swing, swing_sum = waves(subkey(key, 3), t, low_hz=0.006, high_hz=0.08)
    excess = body.wander_hz * drift + PHASE_NOISE_RAD / (2 * np.pi) * jitter
    rated_slip_hz = motor.rated_slip * motor.supply_hz
    varied = body.load_wander * m.load
    slip = rated_slip_hz * (day.load_until(t) + varied * swing_sum)
    at = np.clip(t, 0, None) / UNBALANCE_S
    k = np.minimum(at.astype(int), len(day.unbalance) - 2)
    part = at - k
    turned = (excess - slip) / motor.pole_pairs
    start = body.run_hz * start_s
    speed_hz = body.run_hz / motor.pole_pairs + (turned[-1] - turned[0]) / (t[-1] - t[0])
    return _Slow(
        supply=_phasor(excess + start),
        shaft=_phasor(turned + start / motor.pole_pairs),
        twice_slip=_phasor(2 * slip),
        shaft_turns=turned,
        start_s=start_s,
        load=np.interp(t, day.load_t_s, day.load) + varied * swing,
        gain=1 + AMPLITUDE_NOISE * flicker,
        unbalance=((1 - part) * day.unbalance[k] + part * day.unbalance[k + 1]).astype("c8"),
        pole_pairs=motor.pole_pairs,
        speed_rpm=60 * float(speed_hz),
    )


def _currents(day: Day, s: _Slow, z: Complex64, shaft: Complex64, ratio: int) -> dict[str, Float32]:
    m = day.machine
    assert m.motor.rated_current_a
    factor = power_factor(m)
    i1 = 0.04 + factor * s.load - 1j * sqrt(1 - factor**2)
    turn, below = _lines_of(m)
    bars = 10 ** (m.body.asymmetry_dbc / 20)
    rotor = bars * (turn[2] * s.twice_slip.conj() + turn[3] * below[1] * s.twice_slip)
    air_gap = np.complex64(10 ** (m.body.rotation_dbc / 20))
    lines = shaft.conj() * (air_gap * turn[0]) + shaft * (air_gap * turn[1] * below[0])
    lines += 1
    space = z * _spread((i1 * s.gain * (1 + rotor)).astype("c8"), ratio)
    space *= lines
    space += z.conj() * _spread((s.unbalance.conj() / np.conj(Z_NEGATIVE)).astype("c8"), ratio)
    z2 = z * z
    z6 = z2 * z2 * z2
    h5, h7 = (np.array([0.012, 0.007]) * turn[4:6]).astype("c8")
    space += z * (h7 * z6 + h5 * z6.conj())
    space += _slots(m, s, z, ratio)
    peak = np.float32(sqrt(2) * m.motor.rated_current_a)
    return {
        name: (space * np.complex64(peak * gain * TURN**-k)).real
        for name, gain, k in zip(CURRENTS, m.body.clamp_gains, _order(m), strict=True)
    }


def _slots(m: Machine, s: _Slow, z: Complex64, ratio: int) -> Complex64 | float:
    """Return the slot harmonics, where the sampling carries them: too fast for the grid."""
    bars = m.motor.rotor_bars
    assert bars
    fs_hz = ratio * GRID_HZ
    if (bars / s.pole_pairs + 1) * m.body.run_hz > 0.45 * fs_hz:
        return 0.0
    carrier = bars * m.body.run_hz / s.pole_pairs
    turns = bars * _spread_real(s.shaft_turns, ratio)
    slots = _phasor(turns + carrier * (s.start_s + np.arange(len(z)) / fs_hz))
    size = np.float32(10 ** (m.body.slot_dbc / 20))
    return size * z * (slots * np.float32(0.6) + slots.conj())


def _voltages(day: Day, s: _Slow, z: Complex64, ratio: int) -> dict[str, Float32]:
    """Return phase voltages to earth and the residual current that they drive."""
    m, hz = day.machine, day.machine.body.run_hz
    assert m.motor.rated_voltage_v
    assert m.motor.supply_hz
    peak = np.float32(sqrt(2 / 3) * m.motor.rated_voltage_v * hz / m.motor.supply_hz)
    rng = np.random.default_rng(subkey(m.key, 93))
    capacitance = m.body.earth_capacitance_f * (1 + 0.02 * rng.uniform(-1, 1, 3))
    third, fifth = np.complex64(THIRD) * z**3, np.complex64(FIFTH) * (z**5).conj()
    found: dict[str, Float32] = {}
    first: Complex64 = np.zeros(len(s.unbalance), "c8")
    for name, k, farad in zip(VOLTAGES, _order(m), capacitance, strict=True):
        phasor = (TURN**-k + s.unbalance * TURN**k + ZERO).astype("c8")
        first += np.complex64(HEALTHY_S + 2j * np.pi * hz * farad) * phasor
        x = z * _spread(phasor, ratio) + third + fifth * np.complex64(TURN**-k)
        found[name] = peak * x.real
    y3 = np.complex64(3 * HEALTHY_S + 6j * np.pi * hz * capacitance.sum())
    found["leakage"] = peak * (z * _spread(first, ratio) + y3 * third).real
    return found


def _vibration(m: Machine, z: Complex64, shaft: Complex64) -> Float32:
    rng = np.random.default_rng(subkey(m.key, 94))
    size = m.body.vibration_rms * rng.uniform(0.3, 1.0, 4) * (0.6, 0.3, 0.15, 0.5)
    c1, c2, c3, pull = (size * np.exp(2j * np.pi * rng.random(4))).astype("c8")
    x = shaft * (c1 + shaft * (c2 + shaft * c3)) + pull * (z * z)
    return np.asarray(x.real)


def _lines_of(m: Machine) -> tuple[Complex64, Float64]:
    """Return phases of the machine's lines, and how much weaker the upper sidebands are."""
    rng = np.random.default_rng(subkey(m.key, 95))
    return np.exp(2j * np.pi * rng.random(6)).astype("c8"), rng.uniform(0.4, 0.9, 2)


def _instrument(m: Machine, name: str) -> tuple[float, float]:
    """Return noise (rms) and full scale of a channel, in its unit."""
    amps, volts = m.motor.rated_current_a, m.motor.rated_voltage_v
    assert amps
    assert volts
    if name in CURRENTS:
        return m.body.clamp_noise * amps, 5 * amps
    if name in VOLTAGES:
        return 5e-4 * volts, 2 * volts
    return (LEAKAGE_NOISE_A, 0.1) if name == "leakage" else (m.body.vibration_rms, 500.0)


def _order(m: Machine) -> tuple[int, int, int]:
    """Return which phase each channel reads."""
    return (0, 2, 1) if m.body.swapped_phases else (0, 1, 2)


def _phasor(cycles: npt.NDArray[np.floating]) -> Complex64:
    angle = ((cycles - np.floor(cycles)) * (2 * np.pi)).astype(np.float32)
    z = np.empty(angle.shape, np.complex64)
    np.cos(angle, out=z.real)
    np.sin(angle, out=z.imag)
    return z


@lru_cache(maxsize=512)
def _carrier(hz: float, samples: int, ratio: int) -> Complex64:
    return _phasor(hz / (ratio * GRID_HZ) * np.arange(samples))


def _onto(slow: Complex64, hz: float, ratio: int) -> Complex64:
    """Return a slow phasor upon its carrier, sample by sample."""
    x = _spread(slow, ratio)
    x *= _carrier(hz, len(x), ratio)
    return x


def _spread(slow: Complex64, ratio: int) -> Complex64:
    """Return values of the grid interpolated onto the samples of its intervals."""
    part = np.arange(ratio, dtype=np.float32) / np.float32(ratio)
    return (slow[:-1, None] + np.diff(slow)[:, None] * part).reshape(-1)


def _spread_real(slow: Float64, ratio: int) -> Float64:
    part = np.arange(ratio) / ratio
    return (slow[:-1, None] + np.diff(slow)[:, None] * part).reshape(-1)
