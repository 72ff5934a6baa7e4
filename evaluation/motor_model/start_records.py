"""Records of starts of the motor model, as instruments at the terminals see them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from evaluation.motor_model.instruments import clamp_currents, measured_voltages, phases
from evaluation.motor_model.plants import Plant
from evaluation.motor_model.records import nameplate
from evaluation.motor_model.start_case import StartCase
from evaluation.motor_model.start_integration import STEP_HZ, integrate_start
from evaluation.motor_model.supply import inputs
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Array, Recording

_MARGIN_S = 0.01


@dataclass(frozen=True, slots=True)
class StartRecord:
    """One simulated record; arrays have shape (samples,), the speed is in rpm."""

    case: StartCase
    fs_hz: float
    channels: dict[str, Array]
    speed_rpm: npt.NDArray[np.float32]
    torque_nm: npt.NDArray[np.float32]

    def recording(self, channels: Sequence[str] = CURRENTS) -> Recording:
        """Return the named channels."""
        return Recording({name: self.channels[name] for name in channels}, self.fs_hz)


def start_records(
    cases: Sequence[StartCase], seconds: float = 6.0, fs_hz: float = 5_000.0
) -> list[StartRecord]:
    """Return the record of each case; all are integrated at once, from before the first start."""
    begin_s = min(0.0, *(c.start.at_s for c in cases)) - _MARGIN_S
    steps = int((seconds - begin_s + 2 * _MARGIN_S) * STEP_HZ)
    drive = inputs([c.case for c in cases], begin_s, seconds + 4 * _MARGIN_S)
    run = integrate_start(cases, drive, begin_s, steps)
    t = np.arange(round(seconds * fs_hz)) / fs_hz
    found = []
    for k, case in enumerate(cases):
        rng = np.random.default_rng([case.case.seed, 2])
        rated_a = nameplate(case.case.plant).rated_current_a
        assert rated_a
        i = phases(CubicSpline(run.t_s, run.line_a[:, k])(t))
        v = phases(CubicSpline(run.t_s, run.bus_v[:, k])(t))
        signals: dict[str, Array] = dict(
            zip(CURRENTS, clamp_currents(case.case, i, rated_a, fs_hz, rng), strict=True)
        )
        v_abc = measured_voltages(case.case, v, rng).astype(np.float32)
        signals |= zip(VOLTAGES, v_abc, strict=True)
        rpm = np.interp(t, run.t_s, run.speed[:, k]) * 30 / np.pi
        torque = np.interp(t, run.t_s, run.torque_nm[:, k])
        found.append(
            StartRecord(case, fs_hz, signals, rpm.astype(np.float32), torque.astype(np.float32))
        )
    return found


def rewound(plant: Plant, *, pole_pairs: int, supply_hz: float) -> Plant:
    """Return a machine of the same windings for another number of poles and another supply.

    The voltage goes with the frequency, so that the flux is the same; power goes with the speed.
    """
    speed = supply_hz / plant.supply_hz * plant.pole_pairs / pole_pairs
    hz_ratio = supply_hz / plant.supply_hz
    return replace(
        plant,
        name=f"{plant.name}-{2 * pole_pairs}p{supply_hz:g}",
        pole_pairs=pole_pairs,
        supply_hz=supply_hz,
        voltage_v=round(plant.voltage_v * hz_ratio, 1),
        rated_speed_rpm=plant.rated_speed_rpm * speed,
        rated_power_w=plant.rated_power_w * hz_ratio,
        inertia_kgm2=plant.inertia_kgm2 * sqrt(pole_pairs / plant.pole_pairs),
    )
