"""Records of the motor model, each with the truth about it.

``records(cases, seconds, fs_hz) -> Iterator[Record]``     in the order of the cases
``Record.recording() -> vtox.motor.values.domain.Recording``            the input of a diagnosis
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from math import log10

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from evaluation.motor_model.case import Case
from evaluation.motor_model.controlled import integrate_controlled
from evaluation.motor_model.instruments import (
    carrier_lines,
    clamp_currents,
    leakage_a,
    measured_voltages,
    phases,
    ripple_control,
    saturation_harmonics,
    short_on_line,
    shorted_turns_a,
    supply_harmonics,
)
from evaluation.motor_model.integrate import STEP_HZ, Trajectory, integrate
from evaluation.motor_model.plants import Plant
from evaluation.motor_model.supply import Inputs, inputs, supply_hz
from vtox.motor.values.arrays import Complex128, Float64
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Array, Motor, Recording

SETTLE_S = 1.0  # before the record: the machine starts in the steady state of a healthy one
_MARGIN_S = 0.02  # after the end, for interpolation


@dataclass(frozen=True, slots=True)
class Truth:
    """Properties of the record, from the currents before clamps and noise.

    Levels are amplitudes over the supply line in dB; `negative_ratio` is |I2|/|I1| over the whole
    record, `negative_angle_rad` the angle of I2's space vector while that of V1 is zero.
    """

    supply_hz: float
    slip: float
    lower_dbc: float
    upper_dbc: float
    rotation_lower_dbc: float
    rotation_upper_dbc: float
    negative_ratio: float
    negative_angle_rad: float


@dataclass(frozen=True, slots=True)
class SimulatedRecord:
    """One simulated record; arrays have shape (samples,)."""

    case: Case
    fs_hz: float
    channels: dict[str, Array]
    speed_rpm: npt.NDArray[np.float32]
    torque_nm: npt.NDArray[np.float32]
    truth: Truth

    def recording(
        self, channels: Sequence[str] = CURRENTS, *, tachometer: bool = False
    ) -> Recording:
        """Return the named channels, with a tachometer also the mean speed."""
        return Recording(
            channels={name: self.channels[name] for name in channels},
            fs_hz=self.fs_hz,
            speed_rpm=float(self.speed_rpm.mean()) if tachometer else None,
        )


def records(
    cases: Iterable[Case],
    seconds: float = 10.0,
    fs_hz: float = 10_000.0,
    *,
    channels: Sequence[str] = (*CURRENTS, *VOLTAGES),
    settle_s: float = SETTLE_S,
    batch: int = 128,
) -> Iterator[SimulatedRecord]:
    """Yield the record of each case, in order; `channels` may also contain `leakage`.

    `batch` cases are integrated at once.
    """
    remaining = iter(cases)
    while group := tuple(islice(remaining, batch)):
        t = np.arange(-2, round(seconds * fs_hz) + 2) / fs_hz
        steps = int((settle_s + t[-1] + _MARGIN_S) * STEP_HZ)
        drive = inputs(group, -settle_s, t[-1] + 2 * _MARGIN_S)
        run = _trajectory(group, drive, -settle_s, steps)
        for k, case in enumerate(group):
            yield _record(case, run, drive.case(k), k, t, fs_hz, channels)


def _trajectory(cases: Sequence[Case], drive: Inputs, start_s: float, steps: int) -> Trajectory:
    """Return the trajectory of cases that are all under one control, or none."""
    controls = {c.supply.control_hz > 0 and c.supply.control for c in cases}
    if len(controls) > 1:
        raise ValueError("cases with and without control_hz, or of several controls, in one batch")
    return (integrate_controlled if controls.pop() else integrate)(cases, drive, start_s, steps)


def with_lower_sideband(
    cases: Sequence[Case], dbc: Sequence[float], *, seconds: float = 5.0
) -> list[Case]:
    """Return the cases with the rotor asymmetry that gives a lower sideband of `dbc`.

    The sideband is proportional to a small asymmetry: one run without noise at a trial value (one
    bar in a hundred) gives the factor, with speed ripple.
    """
    trial = 0.01
    quiet = [
        replace(
            c,
            supply=replace(c.supply, wander_hz=0.0, amplitude_noise=0.0),
            load=replace(c.load, noise=0.0, swing=0.0),
            faults=replace(c.faults, rotor_asymmetry=trial),
        )
        for c in cases
    ]
    trial_dbc = [r.truth.lower_dbc for r in records(quiet, seconds, 1_000.0)]
    return [
        replace(c, faults=replace(c.faults, rotor_asymmetry=trial * 10 ** ((x - y) / 20)))
        for c, x, y in zip(cases, dbc, trial_dbc, strict=True)
    ]


@lru_cache(maxsize=64)
def nameplate(plant: Plant) -> Motor:
    """Return the plant's nameplate, cached: many records share few plants."""
    return plant.nameplate


def _record(
    case: Case,
    run: Trajectory,
    drive: Inputs,
    k: int,
    t: Float64,
    fs_hz: float,
    names: Sequence[str],
) -> SimulatedRecord:
    """Return one record; `t` extends two samples beyond both of its ends."""
    rng = np.random.default_rng([case.seed, 2])
    frame_angle = drive.frame_angle(t)[:, 0]
    frame = np.exp(1j * frame_angle)
    if run.stator_v is None or run.flux_angle is None:
        phase = frame_angle + drive.excess(t)[:, 0]
        v = drive.voltage(t)[:, 0] * frame
    else:
        phase = frame_angle + np.interp(t, run.t_s, run.flux_angle[:, k])
        # A voltage is held for one step: its middle is half a step later.
        v = np.interp(t, run.t_s + 0.5 / STEP_HZ, run.stator_v[:, k]) * frame
    inside = slice(2, -2)
    ti = t[inside]
    stator_a = CubicSpline(run.t_s, run.stator_a[:, k])(ti)
    slip_angle = np.interp(ti, run.t_s, run.slip_angle[:, k])
    i = stator_a * frame[inside]
    i += short_on_line(case, shorted_turns_a(case, v[inside], ti))
    shaft = (frame_angle[inside] - slip_angle) / case.plant.pole_pairs
    truth = _truth(case, i, phase[inside], shaft, fs_hz)
    i += _slot_lines(case, i, shaft, fs_hz)

    volts = float(drive.volts[0])
    v_extra, i_extra = carrier_lines(case, ti, phase[inside], fs_hz)
    v_harmonics, i_harmonics = supply_harmonics(case, phase, fs_hz)
    v_ripple, i_ripple = ripple_control(case, ti, fs_hz)
    rated_a = nameplate(case.plant).rated_current_a
    assert rated_a
    i += saturation_harmonics(case, phase[inside], rated_a)
    i_abc = phases(i + volts * (i_extra + i_ripple + i_harmonics[inside]))
    v_abc = phases(v[inside] + volts * (v_extra + v_ripple + v_harmonics[inside]))
    signals: dict[str, Array] = dict(
        zip(CURRENTS, clamp_currents(case, i_abc, rated_a, fs_hz, rng), strict=True)
    )
    v_abc = measured_voltages(case, v_abc, rng)
    signals |= zip(VOLTAGES, v_abc.astype(np.float32), strict=True)
    if "leakage" in names:
        leak = leakage_a(case, v + volts * v_harmonics, fs_hz)
        leak += case.earth.noise_a * rng.standard_normal(len(ti))
        signals["leakage"] = leak.astype(np.float32)
    rpm = np.interp(ti, run.t_s, run.speed[:, k]) * 30 / np.pi
    torque = np.interp(ti, run.t_s, run.torque_nm[:, k])
    return SimulatedRecord(
        case=case,
        fs_hz=fs_hz,
        channels={name: signals[name] for name in names},
        speed_rpm=rpm.astype(np.float32),
        torque_nm=torque.astype(np.float32),
        truth=truth,
    )


def _slot_lines(case: Case, i: Complex128, shaft: Float64, fs_hz: float) -> Complex128:
    """Return the principal slot harmonics: the current modulated by the rotating rotor slots."""
    bars = case.plant.rotor_bars
    highest_hz = (bars / case.plant.pole_pairs + 1) * supply_hz(case)
    if case.slot_harmonic == 0 or highest_hz > 0.45 * fs_hz:
        return np.zeros_like(i)
    slots = np.exp(1j * bars * shaft)
    return np.asarray(case.slot_harmonic * i * (0.6 * slots + slots.conj()))


def _truth(case: Case, i: Complex128, phase: Float64, shaft: Float64, fs_hz: float) -> Truth:
    """Fit the supply line and its neighbours together, by least squares with a Hann window.

    Together, because at light load the sidebands lie within the width of the supply line.
    """
    # About 400 Hz is enough for lines within 60 Hz. The block means attenuate 30 Hz by less than
    # 1 %, the same in the lines that are fitted.
    block = max(1, int(fs_hz / 400))
    slip_angle = phase - case.plant.pole_pairs * shaft
    base = _block_means(i * np.exp(-1j * phase), block)
    lines = np.stack(
        [
            _block_means(np.exp(1j * r), block)
            for r in (
                np.zeros_like(phase),
                -2 * slip_angle,
                2 * slip_angle,
                -shaft,
                shaft,
                -2 * phase,
            )
        ],
        axis=1,
    )
    root = np.sqrt(np.hanning(len(base) + 2)[1:-1])
    lines *= root[:, None]
    gram = lines.conj().T @ lines
    size = np.linalg.solve(gram, lines.conj().T @ (base * root))
    dbc = [20 * log10(max(abs(x / size[0]), 1e-9)) for x in size]
    cycles = (phase[-1] - phase[0]) / (2 * np.pi)
    return Truth(
        supply_hz=float(cycles * fs_hz / (len(phase) - 1)),
        slip=float((slip_angle[-1] - slip_angle[0]) / (phase[-1] - phase[0])),
        lower_dbc=dbc[1],
        upper_dbc=dbc[2],
        rotation_lower_dbc=dbc[3],
        rotation_upper_dbc=dbc[4],
        negative_ratio=float(abs(size[5] / size[0])),
        negative_angle_rad=float(np.angle(size[5])),
    )


def _block_means(x: Complex128, block: int) -> Complex128:
    whole = len(x) // block * block
    return np.asarray(x[:whole].reshape(-1, block).mean(axis=1))
