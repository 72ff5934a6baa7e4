"""An oracle per fault: a straightforward matched test that knows values no user knows.

It is given the true speed or slip and supply frequency of the very record; for turn shorts also the
true admittance. Its threshold is that of 0.1 % false alarms on sound records of the same family. A
faulty record that it gets right is *decidable*: the signals contain the fault, and VTOX is measured
by the share of these records that it decides. A second oracle of rotor cages is given the true
circuit too, and subtracts the current that a sound machine would draw.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from scipy.signal import butter, hilbert, sosfiltfilt

from evaluation.motor_model.plants import Plant, steady_state
from evaluation.motor_model.records import SimulatedRecord
from vtox.motor.values.arrays import Complex128, Float64
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Array, Recording

FALSE_ALARMS = 1e-3
# The tail beyond this quantile of the sound records gives the threshold, as an exponential one.
TAIL = 0.9
_TURN = np.exp(2j * np.pi / 3 * np.arange(3))
# The cage: samples per slip cycle, bins of the floor on either side, noise amplitudes taken off.
PER_SLIP_CYCLE = 16
FLOOR_BINS = (3, 14)
NOISE_FACTOR = 3.0
# Nearer to the supply line, in bins, nothing can be distinguished from its skirt.
NEEDED_BINS = 6.0
BASEBAND_HZ = 50.0
EDGE_S = 0.1
# The bearing: edges of the bands of the envelope over the sampling rate, harmonics of the comb.
BAND_EDGES = (0.04, 0.08, 0.14, 0.2, 0.28, 0.36, 0.45)
HARMONICS = 3
PER_TURN = 64


def threshold(sound: Sequence[float]) -> float:
    """Return the statistic that sound records of one family exceed in `FALSE_ALARMS` of cases."""
    values = np.array([x for x in sound if np.isfinite(x)])
    if not len(values):
        return float("nan")
    base = float(np.quantile(values, TAIL))
    over = values[values > base] - base
    mean = float(over.mean()) if len(over) else 0.0
    return float(max(base + mean * np.log((1 - TAIL) / FALSE_ALARMS), values.max()))


def cage_statistic(record: SimulatedRecord, *, circuit: bool) -> float:
    """Return the amplitude of the lower sideband at the true slip, less the noise next to it.

    The amplitude is over the supply line, and NaN too near to it. The spectrum is taken in the
    angle of the true slip, so that a moving speed smears nothing. With the circuit, the current
    that a sound machine would draw from these voltages at this speed is subtracted first: it
    contains the lines of supply and load.
    """
    f_hz, fs_hz, plant = record.truth.supply_hz, record.fs_hz, record.case.plant
    current, rate_hz = _baseband(_space(record.channels, CURRENTS), f_hz, fs_hz)
    voltage, _ = _baseband(_space(record.channels, VOLTAGES), f_hz, fs_hz)
    electrical_hz = plant.pole_pairs * record.speed_rpm[:: round(fs_hz / rate_hz)] / 60.0
    sound = _sound_current(plant, voltage, 2 * np.pi * electrical_hz, f_hz, rate_hz)
    # The filters ring at both ends.
    inner = slice(round(EDGE_S * rate_hz), len(current) - round(EDGE_S * rate_hz))
    current, sound, electrical_hz = current[inner], sound[inner], electrical_hz[inner]
    t = np.arange(len(current)) / rate_hz
    # The supply's own phase, slow against twice slip frequency.
    trend = np.polynomial.Polynomial.fit(t, np.unwrap(np.angle(current)), 3)(t)
    turned = np.exp(-1j * trend)
    current, sound = current * turned, sound * turned
    rest = current / np.mean(current)
    if circuit:
        rest = rest - sound / np.mean(sound)
    slip_hz = record.truth.slip * f_hz
    near = min(BASEBAND_HZ, PER_SLIP_CYCLE / 3 * slip_hz, 0.4 * rate_hz)
    rest = sosfiltfilt(butter(4, near, fs=rate_hz, output="sos"), rest)
    slip = f_hz * t + trend / (2 * np.pi) - np.cumsum(electrical_hz) / rate_hz
    return _sideband_over_noise(rest, slip - slip[0])


def _baseband(space: Complex128, f_hz: float, fs_hz: float) -> tuple[Complex128, float]:
    """Return a space vector in the frame of the supply, and its rate, Hz."""
    t = np.arange(len(space)) / fs_hz
    base = space * np.exp(-2j * np.pi * f_hz * t)
    step = max(1, int(fs_hz / (4 * BASEBAND_HZ)))
    return sosfiltfilt(butter(4, BASEBAND_HZ, fs=fs_hz, output="sos"), base)[::step], fs_hz / step


def _sound_current(
    plant: Plant, voltage: Complex128, omega: Float64, f_hz: float, rate_hz: float
) -> Complex128:
    """Return the stator current of the sound circuit, in the frame of the supply.

    `omega` is the true electrical speed, rad/s. Solved by the trapezoidal rule, right within 0.1 %
    for motion of a few Hz (Krause, Wasynczuk & Sudhoff, arbitrary reference frame).
    """
    w, half = 2 * np.pi * f_hz, 0.5 / rate_hz
    ls = plant.stator_leakage_h + plant.magnetising_h
    lr, lm = plant.rotor_leakage_h + plant.magnetising_h, plant.magnetising_h
    over = 1 / (ls * lr - lm * lm)
    a11, a12 = -plant.stator_ohm * lr * over - 1j * w, plant.stator_ohm * lm * over
    a21, a22 = plant.rotor_ohm * lm * over, -plant.rotor_ohm * ls * over - 1j * (w - omega)
    rotor, driven = a22.tolist(), voltage.tolist()
    # In the steady state at first.
    psi_s = driven[0] * rotor[0] / (a12 * a21 - a11 * rotor[0])
    psi_r = -a21 * psi_s / rotor[0]
    current = [(lr * psi_s - lm * psi_r) * over]
    for k in range(1, len(driven)):
        b_s = psi_s + half * (a11 * psi_s + a12 * psi_r + driven[k - 1] + driven[k])
        b_r = psi_r + half * (a21 * psi_s + rotor[k - 1] * psi_r)
        m11, m22 = 1 - half * a11, 1 - half * rotor[k]
        det = m11 * m22 - half * half * a12 * a21
        psi_s = (m22 * b_s + half * a12 * b_r) / det
        psi_r = (m11 * b_r + half * a21 * b_s) / det
        current.append((lr * psi_s - lm * psi_r) * over)
    return np.array(current)


def _sideband_over_noise(base: Complex128, slip: Float64) -> float:
    """Return |line| at minus twice the slip, less the noise next to it; `slip` in cycles."""
    slip = np.maximum.accumulate(slip)
    cycles = float(slip[-1])
    if 2 * cycles < NEEDED_BINS:
        return float("nan")
    points = max(int(cycles * PER_SLIP_CYCLE), 64)
    even = np.linspace(0, cycles, points, endpoint=False)
    x = np.interp(even, slip, base.real) + 1j * np.interp(even, slip, base.imag)
    window = np.hanning(points)
    x = (x - np.polynomial.Polynomial.fit(even, x, 2)(even)) * window / window.sum()

    def size(order: float) -> float:
        return float(abs(np.sum(x * np.exp(-2j * np.pi * order * even))))

    near, far = FLOOR_BINS
    beside = [s * k for k in range(near, far) for s in (-1, 1)]
    orders = [-2 + b / cycles for b in beside if -2 + b / cycles < -near / cycles]
    floor = float(np.sqrt(np.median([size(o) ** 2 for o in orders]) / np.log(2)))
    return size(-2.0) - NOISE_FACTOR * floor


def negative_sequence(record: SimulatedRecord) -> complex:
    """Return I2 over I1 that the true admittance does not explain, as a phasor against V1."""
    plant, truth = record.case.plant, record.truth
    i1, i2 = _sequences(record, CURRENTS)
    v1, v2 = _sequences(record, VOLTAGES)
    admittance = _negative_admittance(plant, truth.slip, truth.supply_hz)
    to_zero = v1 / abs(v1)
    return complex((i2 - admittance * v2) * to_zero / abs(i1))


def turn_statistic(record: SimulatedRecord, learnt: Sequence[complex]) -> float:
    """Return how far the compensated negative sequence is from its mean when learnt."""
    return float(abs(negative_sequence(record) - np.mean(learnt)))


def _negative_admittance(plant: Plant, slip: float, hz: float) -> complex:
    """Return I2/V2 of the healthy circuit, whose slip against the negative sequence is 2 - s."""
    return steady_state(plant, 2 - slip, hz=hz, volts=1.0).stator_a


def _sequences(record: SimulatedRecord, names: Sequence[str]) -> tuple[complex, complex]:
    """Return the positive- and negative-sequence phasors at the true supply frequency."""
    x = np.stack([record.channels[n] for n in names]).astype(np.float64)
    t = np.arange(x.shape[1]) / record.fs_hz
    window = np.hanning(x.shape[1])
    carrier = np.exp(-2j * np.pi * record.truth.supply_hz * t) * window
    phasors = 2 * x @ carrier / window.sum()
    return complex(phasors @ _TURN) / 3, complex(phasors @ np.conj(_TURN)) / 3


def bearing_statistic(recording: Recording, turns: Float64, orders: Sequence[float]) -> float:
    """Return the highest comb of the envelope at the true orders, in the best band.

    `turns` is the true angle of the shaft at every sample. The statistic is the mean over the
    harmonics of the square root of line over median floor.
    """
    x = np.asarray(recording.channels["vibration"], np.float64)
    even = np.arange(0, turns[-1] - turns[0], 1 / PER_TURN) + turns[0]
    best = 0.0
    for low, high in pairwise(BAND_EDGES):
        band = sosfiltfilt(butter(3, (2 * low, 2 * high), "bandpass", output="sos"), x)
        envelope = np.interp(even, turns, np.abs(hilbert(band)))
        window = np.hanning(len(even))
        power = np.abs(np.fft.rfft((envelope - envelope.mean()) * window)) ** 2
        best = max(best, *(_comb(power, order * len(even) / PER_TURN) for order in orders))
    return best


def _comb(power: Float64, position: float) -> float:
    """Return the comb at multiples of `position` (bins), amplitudes over the median floor."""
    total = 0.0
    for h in range(1, HARMONICS + 1):
        at = round(h * position)
        if at + 40 >= len(power):
            break
        floor = float(np.median(power[max(at - 40, 1) : at + 40])) / np.log(2)
        total += np.sqrt(float(power[at - 1 : at + 2].max()) / max(floor, 1e-300))
    return total / HARMONICS


def _space(channels: Mapping[str, Array], names: Sequence[str]) -> Complex128:
    x = np.stack([channels[n] for n in names])
    return np.asarray(2 / 3 * _TURN @ x)
