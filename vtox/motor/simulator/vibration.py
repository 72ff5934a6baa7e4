"""Vibration of a simulated machine: shaft orders, magnetic pull, noise, and bearing impacts."""

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from vtox.motor.simulator.fleet import SimulatedMachine
from vtox.motor.simulator.noise import normals, subkey, uniforms
from vtox.motor.simulator.timeline import Timeline, unit_phasor
from vtox.motor.values.arrays import Float32, Float64

_SLIPPAGE_JITTER = 0.012  # rms of the position of an impact over their distance
_STRENGTH_JITTER = 0.15  # rms
_RING_S = 0.05  # after this time the ringing of an impact has ended
_DECAY_S = 1.2e-3  # time constant of the ringing


def vibration(
    m: SimulatedMachine, line: Timeline, share: npt.NDArray[np.float32] | float
) -> Float32:
    """Return the vibration without its noise in m/s^2, shape (samples,)."""
    shaft = unit_phasor(line.shaft)
    size = m.body.vibration_rms * (0.3 + 0.7 * uniforms(subkey(m.key, 31), np.arange(4)))
    phase_factor = np.exp(2j * np.pi * uniforms(subkey(m.key, 32), np.arange(4)))
    c1, c2, c3, c_pull = (size * np.array([0.6, 0.3, 0.15, 0.5]) * phase_factor).astype(
        np.complex64
    )
    once = c1 * shaft
    if rise_db := m.level_of("eccentricity"):
        # Unbalanced magnetic pull adds to the rotor's own unbalance: half the current's rise in dB.
        once = once * (1 + share * np.float32(10 ** (rise_db / 40) - 1))
    shaft2 = shaft * shaft
    pull = unit_phasor(2 * line.supply)
    lines = once + c2 * shaft2 + c3 * (shaft2 * shaft) + c_pull * pull
    return np.asarray(lines.real, dtype=np.float32)


def bearing_impacts(m: SimulatedMachine, key: int, line: Timeline, fs_hz: float) -> Float32:
    """Return the vibration of the impacts of a bearing defect in m/s^2, shape (samples,).

    Impacts come at every 1/order of a turn, with slippage: at (k + e_k)/order turns, e_k normal.
    Each makes the structure ring at its resonance. The load zone modulates the inner race once a
    turn, the bearing cage the rolling elements (Randall & Antoni 2011, MSSP 25(2)).
    """
    assert m.defect
    assert m.level is not None
    assert m.onset_s is not None
    assert m.motor.bearing
    orders = m.motor.bearing.defect_orders
    # A defect of a ball hits both races: twice a turn of the ball.
    order = orders[m.defect] * (2 if m.defect == "BSF" else 1)
    start, stop = line.t_s[0] - _RING_S, line.t_s[-1]
    first, last = np.interp([start, stop], line.grid_s, line.grid_shaft) * order
    k = np.arange(int(np.floor(first)) - 1, int(np.ceil(last)) + 2, dtype=np.int64)
    turns = (k + _SLIPPAGE_JITTER * normals(subkey(key, 33), k)) / order
    t = np.interp(turns, line.grid_shaft, line.grid_s)
    strength = 1 + _STRENGTH_JITTER * normals(subkey(key, 34), k)
    strength *= _load_zone(m.defect, turns, orders["FTF"])
    keep = (t > max(start, m.onset_s)) & (t < stop)
    peak = m.level * m.body.vibration_rms
    return _ring(t[keep] - start, peak * strength[keep], m, len(line.t_s), fs_hz)


def _load_zone(defect: str, turns: Float64, cage_order: float) -> Float64 | float:
    if defect == "BPFO":
        return 1.0
    position = turns if defect == "BPFI" else turns * cage_order
    return 0.55 + 0.45 * np.cos(2 * np.pi * position)


def _ring(t: Float64, size: Float64, m: SimulatedMachine, samples: int, fs_hz: float) -> Float32:
    """Return the sum of size * exp(-t/decay) * sin(resonance * t) over all impacts."""
    lead = round(_RING_S * fs_hz)
    pole = -1 / _DECAY_S + 2j * np.pi * min(m.body.resonance_hz, 0.4 * fs_hz)
    impacts = np.zeros(lead + samples, np.complex128)
    at = np.ceil(t * fs_hz).astype(np.int64)
    inside = at < len(impacts)
    at = at[inside]
    np.add.at(impacts, at, size[inside] * np.exp(pole * (at / fs_hz - t[inside])))
    ringing = lfilter([1.0], [1.0, -np.exp(pole / fs_hz)], impacts)
    return np.asarray(ringing.imag[lead:], dtype=np.float32)
