"""Power and load of a motor that `motulator` simulates, on a grid and an inverter, and their truth.

    .venv/bin/python -m pip install motulator==0.5.0
    python -m benchmarks.energy_motulator [--only grid 50 40 30]

motulator (Aalto University, MIT licence) is another implementation of motor, inverter and control.
The motor is the one of 2.2 kW of its examples, by V/Hz control at 4 kHz or at a grid of 400 V. The
truth is that of its equations: voltage times current, and torque times speed. The motor has neither
iron nor friction losses; its nameplate states the efficiency of its windings at rated torque.
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from motulator.drive import model  # type: ignore[import-not-found]
from motulator.drive.control import im  # type: ignore[import-not-found]
from motulator.drive.utils import (  # type: ignore[import-not-found]
    InductionMachineInvGammaPars,
    InductionMachinePars,
)
from scipy.signal import decimate

from vtox.motor.diagnosis.diagnosis import read_energy
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Motor, Recording

CONTROL_S, FINE_HZ, FS_HZ = 250e-6, 200_000.0, 10_000.0
SETTLE_S, RECORD_S, RAMP_S = 1.0, 1.0, 0.3
STATOR_OHM, RATED_NM, PAIRS, GRID_V, GRID_HZ, BUS_V = 3.7, 14.6, 2, 400.0, 50.0, 650.0
CIRCUIT = InductionMachineInvGammaPars(n_p=PAIRS, R_s=STATOR_OHM, R_R=2.1, L_sgm=0.021, L_M=0.224)
PEAK_V = math.sqrt(2 / 3) * GRID_V
LOADS = (0.25, 0.5, 1.0, 1.2)


@dataclass(frozen=True, slots=True)
class Simulated:
    """One second of the steady state, and the means of its truth."""

    recording: Recording
    input_w: float
    shaft_w: float
    rms_a: float
    speed_rpm: float


class Grid(model.VoltageSourceConverter):  # type: ignore[misc]
    """A sinusoidal source in the place of the inverter."""

    def set_outputs(self, t: float) -> None:
        """Set the voltage of a time."""
        self.out.u_cs = PEAK_V * np.exp(2j * np.pi * GRID_HZ * t)
        self.out.u_dc = self.u_dc


def simulated(hz: float, load: float, *, grid: bool) -> Simulated:
    """Return the steady state of a load over rated torque."""
    machine = model.InductionMachine(InductionMachinePars.from_inv_gamma_model_pars(CIRCUIT))
    ramp: Callable[[Any], Any] = lambda t: np.clip((t - RAMP_S) / 0.2, 0, 1)  # noqa: E731
    mechanics = model.StiffMechanicalSystem(J=0.015, tau_L=lambda t: load * RATED_NM * ramp(t))
    source = Grid(u_dc=BUS_V) if grid else model.VoltageSourceConverter(u_dc=BUS_V)
    drive = model.Drive(source, machine, mechanics)
    flux = PEAK_V / (2 * math.pi * GRID_HZ)
    vhz = im.VHzControl(im.VHzControlCfg(CIRCUIT, nom_psi_s=flux, T_s=CONTROL_S))
    vhz.ref.w_m = lambda t: 2 * math.pi * hz * min(t / RAMP_S, 1.0)
    model.Simulation(drive, vhz).simulate(t_stop=SETTLE_S + RECORD_S, max_step=0.2 * CONTROL_S)
    found = drive.machine.data
    t = drive.data.t if hasattr(drive, "data") else found.t
    volts = PEAK_V * np.exp(2j * np.pi * GRID_HZ * t) if grid else found.u_ss
    turns = np.exp(-2j * np.pi / 3 * np.arange(3))
    channels = {}
    for name, x in ((CURRENTS, found.i_ss), (VOLTAGES, volts)):
        seen = _filtered(t, x)
        channels |= {c: np.real(seen * turn) for c, turn in zip(name, turns, strict=True)}
    span = t >= SETTLE_S
    mean = lambda x: float(np.trapezoid(x[span], t[span]) / np.ptp(t[span]))  # noqa: E731
    rad_s = found.w_M if hasattr(found, "w_M") else drive.mechanics.data.w_M
    return Simulated(
        recording=Recording(channels, FS_HZ),
        input_w=mean(1.5 * np.real(volts * np.conj(found.i_ss))),
        shaft_w=mean(found.tau_M * rad_s),
        rms_a=math.sqrt(mean(np.abs(found.i_ss) ** 2) / 2),
        speed_rpm=mean(rad_s) * 30 / math.pi,
    )


def _filtered(t: Any, x: Any) -> Any:
    """Return a second at `FS_HZ` of what an instrument sees: the mean over 5 us, then filtered.

    Voltages step between the times of the solver, so that single values of them would be biased.
    """
    area = np.concatenate([[0.0], np.cumsum((x[1:] + x[:-1]) / 2 * np.diff(t))])
    fine = SETTLE_S + np.arange(round(FINE_HZ * RECORD_S) + 1) / FINE_HZ
    edges = np.interp(fine, t, area.real) + 1j * np.interp(fine, t, area.imag)
    found = np.diff(edges) * FINE_HZ
    for thinned in (5, 4):
        found = decimate(found, thinned, ftype="fir")
    return found


def main() -> None:
    """Print a row a case."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="*", default=["50", "40", "30", "grid"], help="supplies")
    rated = simulated(GRID_HZ, 1.0, grid=True)
    plate: dict[str, Any] = {
        "pole_pairs": PAIRS,
        "supply_hz": GRID_HZ,
        "rated_speed_rpm": round(rated.speed_rpm),
        "rated_current_a": round(rated.rms_a, 2),
        "rated_voltage_v": GRID_V,
        "rated_power_w": round(rated.shaft_w),
        "rated_efficiency": round(rated.shaft_w / rated.input_w, 3),
        "stator_resistance_ohm": STATOR_OHM,
    }
    print("| supply | load | power, error | shaft, W | estimated | error over rated | efficiency |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in parser.parse_args().only:
        hz = None if name == "grid" else float(name)
        for load in LOADS if hz else (0.2, *LOADS):
            case = simulated(hz or GRID_HZ, load, grid=hz is None)
            motor = Motor(**plate, supply="grid" if hz is None else "inverter")
            print(row("grid" if hz is None else f"{hz:g} Hz", load, case, motor), flush=True)


def row(supply: str, load: float, case: Simulated, motor: Motor) -> str:
    """Return the row of a case."""
    found = read_energy(case.recording, motor)
    f = found.figures
    power = f"{f['active_w'] / case.input_w - 1:+.2%}" if "active_w" in f else found.power_code
    shaft = error = found.load_code
    if "shaft_w" in f:
        shaft = f"{f['shaft_w']:.0f} ± {f['shaft_half_w']:.0f}"
        error = f"{(f['shaft_w'] - case.shaft_w) / (motor.rated_power_w or 1):+.2%}"
    own = f"{f['efficiency'] - case.shaft_w / case.input_w:+.2%}" if "efficiency" in f else "-"
    return f"| {supply} | {load:.0%} | {power} | {case.shaft_w:.0f} | {shaft} | {error} | {own} |"


if __name__ == "__main__":
    main()
