"""Shared by the tests of insulation: one diagnosis, and windings to earth."""

import numpy as np

from tests.signals.phasor_motor import MOTOR, Machine, recording
from vtox import diagnose
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Diagnosis, Recording

CHANNELS = (*CURRENTS, *VOLTAGES, "leakage")
# A sound winding: conductance and capacitance to earth of each phase, S and F.
SIEMENS = (1e-8, 1e-8, 1e-8)
FARADS = (5e-9, 5.05e-9, 4.95e-9)


def insulation(x: Recording, baseline: Baseline | None = None) -> Diagnosis:
    (d,) = diagnose(x, MOTOR, faults=["insulation"], baseline=baseline)
    return d


def doubts(d: Diagnosis) -> list[str]:
    return [doubt.code for doubt in d.doubts]


def winding(**values: object) -> Machine:
    usual = {"earth_s": SIEMENS, "earth_f": FARADS, "third": 0.01, "v0": 0.003, "v2": 0.01j}
    return Machine(**(usual | values))  # type: ignore[arg-type]


def balanced(phase: int, *, farads: float = 1.0, siemens: float = 0.0, seed: int = 9) -> Recording:
    """A supply without zero sequence; one phase has so many times its capacitance, or leaks."""
    earth_s, earth_f = list(SIEMENS), list(FARADS)
    earth_s[phase] += siemens
    earth_f[phase] *= farads
    m = Machine(earth_s=tuple(earth_s), earth_f=tuple(earth_f), v2=0.01j)
    return recording(m, fs_hz=2_000.0, channels=CHANNELS, seed=seed)


def with_fifth_harmonic(phase: int, *, farads: float, siemens: float) -> Recording:
    """As `balanced`, with 2 % of fifth harmonic, turning backwards, that the leakage follows."""
    x = balanced(phase, farads=farads, siemens=siemens)
    earth_s, earth_f = np.array(SIEMENS), np.array(FARADS)
    earth_s[phase] += siemens
    earth_f[phase] *= farads
    t = 10 * np.pi * 50.02 * np.arange(x.samples) / x.fs_hz
    volts = 6.5 * np.exp(1j * (t + 2 * np.pi / 3 * np.arange(3)[:, None]))
    amps = ((earth_s + 10j * np.pi * 50.02 * earth_f) @ volts).real
    added = dict(zip((*VOLTAGES, "leakage"), (*volts.real, amps), strict=True))
    return Recording({n: c + added.get(n, 0) for n, c in x.channels.items()}, x.fs_hz)
