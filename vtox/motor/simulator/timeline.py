"""Phase of supply and shaft of a simulated machine at every sample of a window."""

from dataclasses import dataclass

import numpy as np

from vtox.motor.simulator.fleet import SimulatedMachine
from vtox.motor.simulator.noise import GRID_HZ, coloured, subkey, waves
from vtox.motor.values.arrays import Complex64, Float64

_MARGIN = 6  # grid points before the first sample, for impulses that still ring
# Rms of the 1/f noise of the amplitude and the 1/f**2 noise of the phase, 0.2 to 20 Hz. They give
# a noise floor of about -85 dBc in 10 s records at 2 Hz from the supply line.
AMPLITUDE_NOISE = 3e-4
PHASE_NOISE_RAD = 6e-4


@dataclass(frozen=True, slots=True)
class Timeline:
    """Phases in cycles since the first window, shape (samples,), and the grid they come from."""

    t_s: Float64
    supply: Float64
    slip: Float64  # integral of slip times supply frequency
    shaft: Float64  # turns of the shaft
    load: Float64  # relative deviation of the load
    amplitude: Float64  # relative noise of the current's amplitude
    grid_s: Float64
    grid_shaft: Float64


def slip_at(machine: SimulatedMachine) -> float:
    """Return the mean slip: proportional to torque in the working range."""
    rated = machine.motor.rated_slip
    assert rated is not None
    return rated * machine.load * _rated_hz(machine) / machine.body.run_hz


def timeline(
    machine: SimulatedMachine, key: int, start_s: float, samples: int, fs_hz: float
) -> Timeline:
    """Return the phases of `machine` in run `key` from `start_s` on.

    Wander and noise are made on a grid of 100 Hz and interpolated: they end at 20 Hz.
    """
    body = machine.body
    first = int(np.floor(start_s * GRID_HZ)) - _MARGIN
    count = int(np.ceil(samples / fs_hz * GRID_HZ)) + _MARGIN + 3
    grid_s = (first + np.arange(count)) / GRID_HZ

    _, drift = waves(subkey(key, 1), grid_s, low_hz=0.003, high_hz=0.06)
    jitter = coloured(subkey(key, 2), first, count, exponent=2.0, top_hz=20.0)
    supply_excess = body.wander_hz * drift + PHASE_NOISE_RAD / (2 * np.pi) * jitter

    load, load_sum = waves(subkey(key, 3), grid_s, low_hz=0.006, high_hz=0.08)
    slip_hz = slip_at(machine) * body.run_hz
    slip_excess = slip_hz * body.load_wander * load_sum
    noise = coloured(subkey(key, 4), first, count, exponent=1.0, top_hz=20.0)

    pole_pairs = machine.motor.pole_pairs
    assert pole_pairs
    t = start_s + np.arange(samples) / fs_hz
    supply = body.run_hz * t + np.interp(t, grid_s, supply_excess)
    slip = slip_hz * t + np.interp(t, grid_s, slip_excess)
    grid_supply = body.run_hz * grid_s + supply_excess
    grid_slip = slip_hz * grid_s + slip_excess
    return Timeline(
        t_s=t,
        supply=supply,
        slip=slip,
        shaft=(supply - slip) / pole_pairs,
        load=np.interp(t, grid_s, body.load_wander * load),
        amplitude=np.interp(t, grid_s, AMPLITUDE_NOISE * noise),
        grid_s=grid_s,
        grid_shaft=(grid_supply - grid_slip) / pole_pairs,
    )


def unit_phasor(cycles: Float64) -> Complex64:
    """Return exp(2j*pi*cycles) in single precision; whole cycles are removed in double."""
    angle = ((cycles - np.floor(cycles)) * (2 * np.pi)).astype(np.float32)
    z = np.empty(angle.shape, np.complex64)
    z.real = np.cos(angle)
    z.imag = np.sin(angle)
    return z


def _rated_hz(machine: SimulatedMachine) -> float:
    assert machine.motor.supply_hz
    return machine.motor.supply_hz
