"""Signals of healthy machines over a day (`benchmarks.day_profiles`), clamps in error.

The signals follow the equations of `vtox.motor.simulator` at lower cost. Slow quantities are
computed on a grid of 100 Hz and interpolated onto carriers from tables, and samples are made as
counts. Every window has its own noise.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
import numpy.typing as npt

from benchmarks.day_profiles import UNBALANCE_S, Day
from vtox.motor.simulator.currents_and_voltages import (
    FIFTH_HARMONIC,
    PHASE_CONDUCTANCE_S,
    THIRD_HARMONIC,
    Z_NEGATIVE,
    ZERO_SEQUENCE,
    power_factor,
)
from vtox.motor.simulator.fleet import SimulatedMachine
from vtox.motor.simulator.noise import GRID_HZ, coloured, subkey, waves
from vtox.motor.simulator.signals import CONVERTER_STEPS, TACHOMETER_ERROR, noise_and_full_scale
from vtox.motor.simulator.timeline import AMPLITUDE_NOISE, PHASE_NOISE_RAD
from vtox.motor.values.arrays import TURN_120, Complex64, Float32, Float64, Int16
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Recording


@dataclass(frozen=True, slots=True)
class CountedWindow:
    """A window as an instrument delivers it: counts, and the value of one count."""

    counts: dict[str, Int16]
    scales: dict[str, float]
    speed_rpm: float | None

    def recording(self, fs_hz: float) -> Recording:
        """Return the same in units."""
        x = {c: n.astype(np.float32) * np.float32(self.scales[c]) for c, n in self.counts.items()}
        return Recording(x, fs_hz, self.speed_rpm)


def window(day: Day, start_s: float, seconds: float, fs_hz: float) -> CountedWindow:
    """Return the window of the machine from `start_s` on; `fs_hz` is a multiple of 100 Hz."""
    m = day.machine
    slow = _slow_signals(day, start_s, round(seconds * GRID_HZ))
    ratio = round(fs_hz / GRID_HZ)
    z = _on_carrier(slow.supply, m.body.run_hz, ratio)
    shaft = _on_carrier(slow.shaft, m.body.run_hz / slow.pole_pairs, ratio)
    clean = _currents(day, slow, z, shaft, ratio)
    if "va" in m.channels:
        clean |= _voltages(day, slow, z, ratio)
    clean["vibration"] = _vibration(m, z, shaft)
    counts, scales = {}, {}
    for name in m.channels:
        noise, full_scale = noise_and_full_scale(m, name)
        step = full_scale / CONVERTER_STEPS
        x = day.rng.standard_normal(len(z), np.float32)
        x *= np.float32(noise / step)
        x += np.float32(1 / step) * clean[name]
        # Full scale is several times the signal of a healthy machine: nothing is clipped.
        counts[name] = np.rint(x, out=x).astype("<i2")
        scales[name] = step
    rpm = slow.speed_rpm * (1 + TACHOMETER_ERROR * day.rng.standard_normal())
    return CountedWindow(counts, scales, round(rpm, 1) if m.body.tachometer else None)


@dataclass(frozen=True, slots=True)
class _SlowSignals:
    """The slow quantities at the points of the grid (one more than there are intervals)."""

    supply: Complex64  # phasors without carriers: of the supply, the shaft, twice slip frequency
    shaft: Complex64
    twice_slip: Complex64
    shaft_turns: Float64  # without the turns of the carrier
    start_s: float
    load: Float64
    gain: Float64
    unbalance: Complex64
    pole_pairs: int
    speed_rpm: float


def _slow_signals(day: Day, start_s: float, intervals: int) -> _SlowSignals:
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
    return _SlowSignals(
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


def _currents(
    day: Day, s: _SlowSignals, z: Complex64, shaft: Complex64, ratio: int
) -> dict[str, Float32]:
    m = day.machine
    assert m.motor.rated_current_a
    factor = power_factor(m)
    i1 = 0.04 + factor * s.load - 1j * sqrt(1 - factor**2)
    turn, below = _line_phases(m)
    bars = 10 ** (m.body.asymmetry_dbc / 20)
    rotor = bars * (turn[2] * s.twice_slip.conj() + turn[3] * below[1] * s.twice_slip)
    air_gap = np.complex64(10 ** (m.body.rotation_dbc / 20))
    lines = shaft.conj() * (air_gap * turn[0]) + shaft * (air_gap * turn[1] * below[0])
    lines += 1
    space = z * _interpolated((i1 * s.gain * (1 + rotor)).astype("c8"), ratio)
    space *= lines
    space += z.conj() * _interpolated(
        (s.unbalance.conj() / np.conj(Z_NEGATIVE)).astype("c8"), ratio
    )
    z2 = z * z
    z6 = z2 * z2 * z2
    h5, h7 = (np.array([0.012, 0.007]) * turn[4:6]).astype("c8")
    space += z * (h7 * z6 + h5 * z6.conj())
    space += _slot_harmonics(m, s, z, ratio)
    peak = np.float32(sqrt(2) * m.motor.rated_current_a)
    return {
        name: (space * np.complex64(peak * gain * TURN_120**-k)).real
        for name, gain, k in zip(CURRENTS, m.body.clamp_gains, _phase_order(m), strict=True)
    }


def _slot_harmonics(
    m: SimulatedMachine, s: _SlowSignals, z: Complex64, ratio: int
) -> Complex64 | float:
    """Return the slot harmonics, too fast for the grid; 0 where the sampling cannot carry them."""
    bars = m.motor.rotor_bars
    assert bars
    fs_hz = ratio * GRID_HZ
    if (bars / s.pole_pairs + 1) * m.body.run_hz > 0.45 * fs_hz:
        return 0.0
    carrier = bars * m.body.run_hz / s.pole_pairs
    turns = bars * _interpolated_real(s.shaft_turns, ratio)
    slots = _phasor(turns + carrier * (s.start_s + np.arange(len(z)) / fs_hz))
    size = np.float32(10 ** (m.body.slot_dbc / 20))
    return size * z * (slots * np.float32(0.6) + slots.conj())


def _voltages(day: Day, s: _SlowSignals, z: Complex64, ratio: int) -> dict[str, Float32]:
    """Return phase voltages to earth and the leakage current that they drive."""
    m, hz = day.machine, day.machine.body.run_hz
    assert m.motor.rated_voltage_v
    assert m.motor.supply_hz
    peak = np.float32(sqrt(2 / 3) * m.motor.rated_voltage_v * hz / m.motor.supply_hz)
    rng = np.random.default_rng(subkey(m.key, 93))
    capacitance = m.body.earth_capacitance_f * (1 + 0.02 * rng.uniform(-1, 1, 3))
    third, fifth = np.complex64(THIRD_HARMONIC) * z**3, np.complex64(FIFTH_HARMONIC) * (z**5).conj()
    found: dict[str, Float32] = {}
    first: Complex64 = np.zeros(len(s.unbalance), "c8")
    for name, k, farad in zip(VOLTAGES, _phase_order(m), capacitance, strict=True):
        phasor = (TURN_120**-k + s.unbalance * TURN_120**k + ZERO_SEQUENCE).astype("c8")
        first += np.complex64(PHASE_CONDUCTANCE_S + 2j * np.pi * hz * farad) * phasor
        x = z * _interpolated(phasor, ratio) + third + fifth * np.complex64(TURN_120**-k)
        found[name] = peak * x.real
    y3 = np.complex64(3 * PHASE_CONDUCTANCE_S + 6j * np.pi * hz * capacitance.sum())
    found["leakage"] = peak * (z * _interpolated(first, ratio) + y3 * third).real
    return found


def _vibration(m: SimulatedMachine, z: Complex64, shaft: Complex64) -> Float32:
    rng = np.random.default_rng(subkey(m.key, 94))
    size = m.body.vibration_rms * rng.uniform(0.3, 1.0, 4) * (0.6, 0.3, 0.15, 0.5)
    c1, c2, c3, pull = (size * np.exp(2j * np.pi * rng.random(4))).astype("c8")
    x = shaft * (c1 + shaft * (c2 + shaft * c3)) + pull * (z * z)
    return np.asarray(x.real)


def _line_phases(m: SimulatedMachine) -> tuple[Complex64, Float64]:
    """Return phases of the machine's lines, and the ratios of upper to lower sidebands."""
    rng = np.random.default_rng(subkey(m.key, 95))
    return np.exp(2j * np.pi * rng.random(6)).astype("c8"), rng.uniform(0.4, 0.9, 2)


def _phase_order(m: SimulatedMachine) -> tuple[int, int, int]:
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


def _on_carrier(slow: Complex64, hz: float, ratio: int) -> Complex64:
    """Return a slow phasor on its carrier, sample by sample."""
    x = _interpolated(slow, ratio)
    x *= _carrier(hz, len(x), ratio)
    return x


def _interpolated(slow: Complex64, ratio: int) -> Complex64:
    """Return values of the grid interpolated onto the samples of its intervals."""
    part = np.arange(ratio, dtype=np.float32) / np.float32(ratio)
    return (slow[:-1, None] + np.diff(slow)[:, None] * part).reshape(-1)


def _interpolated_real(slow: Float64, ratio: int) -> Float64:
    part = np.arange(ratio) / ratio
    return (slow[:-1, None] + np.diff(slow)[:, None] * part).reshape(-1)
