"""The day of a healthy machine: loads in steps, a supply with a wandering unbalance.

Nameplates and bodies are those of `vtox.motor.simulator.fleet`; `benchmarks.day_signals` makes the
signals.
"""

from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np
import numpy.typing as npt

from vtox.motor.simulator.fleet import SimulatedMachine, fleet
from vtox.motor.simulator.noise import subkey
from vtox.motor.values.arrays import Float64

# The supply's negative sequence wanders from one ten minutes to the next (EN 50160 allows 2 % of
# ten-minute means). Rms of the real and of the imaginary part, per unit of the positive sequence;
# the time between two values, s; the correlation of one with the next.
UNBALANCE_RMS, UNBALANCE_S, UNBALANCE_CORRELATION = 0.001, 600.0, 0.9
# A load takes half a second from one step to the next: the inertia of a small drive.
RAMP_S = 0.5
DAY_S = 86_400.0
# Shares of the fleet by duty: steady; a step of up to a quarter every hour or so; between two loads
# every few minutes.
STEADY, SHIFTS, CYCLES = 0.4, 0.3, 0.3


@dataclass(frozen=True)
class Day:
    """One machine with its loads (of rated torque) and its unbalance over time."""

    machine: SimulatedMachine
    load_t_s: Float64
    load: Float64
    load_sum: Float64  # integral of `load` up to each of its times, s
    unbalance: npt.NDArray[np.complex128]  # one every UNBALANCE_S

    @cached_property
    def rng(self) -> np.random.Generator:
        """Generator of the instruments' noise, drawn window after window."""
        return np.random.Generator(np.random.SFC64(subkey(self.machine.key, 91)))

    @property
    def steps(self) -> int:
        """Number of load steps."""
        return len(self.load_t_s) // 2 - 1

    def load_until(self, t: Float64) -> Float64:
        """Return the integral of the load up to each time, s; exact on its straight pieces."""
        k = np.clip(np.searchsorted(self.load_t_s, t, side="right") - 1, 0, len(self.load) - 2)
        since = t - self.load_t_s[k]
        slope = np.diff(self.load)[k] / np.diff(self.load_t_s)[k]
        return np.asarray(self.load_sum[k] + since * (self.load[k] + slope * since / 2))


def days(
    machines: int, seed: int, hours: float, *, unbalance_rms: float = UNBALANCE_RMS
) -> list[Day]:
    """Return healthy machines of the simulated fleet, each with its own day."""
    healthy = [m for m in fleet(3 * machines + 20, seed=seed) if m.fault is None][:machines]
    return [_day(m, i / machines, hours * 3600, unbalance_rms) for i, m in enumerate(healthy)]


def _day(machine: SimulatedMachine, place: float, length_s: float, unbalance_rms: float) -> Day:
    rng = np.random.default_rng(subkey(machine.key, 90))
    # The commissioning is before time 0, at the first load.
    times, loads = [-DAY_S], [machine.load]
    t = 0.0
    low = machine.load * rng.uniform(0.5, 0.8)
    while place >= STEADY and t < length_s:
        cycles = place >= STEADY + SHIFTS
        t += float(rng.uniform(300, 1200) if cycles else rng.uniform(2400, 7200))
        step = machine.load * float(rng.uniform(0.75, 1.25))
        other = low if loads[-1] == machine.load else machine.load
        new = other if cycles else min(step, 1.05)
        times += [t, t + RAMP_S]
        loads += [loads[-1], new]
    times.append(max(length_s, t) + DAY_S)
    loads.append(loads[-1])
    load_t_s, load = np.array(times), np.array(loads)
    pieces = np.diff(load_t_s) * (load[1:] + load[:-1]) / 2
    n = int(length_s / UNBALANCE_S) + 3
    wander = np.zeros(n, complex)
    fresh = unbalance_rms * (rng.normal(size=n) + 1j * rng.normal(size=n))
    for i in range(1, n):
        wander[i] = (
            UNBALANCE_CORRELATION * wander[i - 1] + sqrt(1 - UNBALANCE_CORRELATION**2) * fresh[i]
        )
    return Day(
        machine,
        load_t_s,
        load,
        np.concatenate([[0.0], np.cumsum(pieces)]),
        machine.body.unbalance + wander,
    )
