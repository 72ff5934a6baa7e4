"""The sound machine whose input is broken: all channels, a nameplate and a baseline.

It runs at half load on a quiet grid. The supply has a zero sequence, which shows the insulation of
the whole winding. The vibration is that of a slightly unbalanced shaft on a sound bearing.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace

import numpy as np

from evaluation.bad_shafts import recording as vibration_of
from evaluation.families.catalogue import families
from evaluation.families.machines import BLOCK, Machine, machine, record_case
from evaluation.inputs.mistake import ALL_CHANNELS, RawInput
from evaluation.motor_model.case import Case, Earth, ShaftLoad
from evaluation.motor_model.records import SimulatedRecord, records
from evaluation.seeds import Stage
from evaluation.vibration import Shaft, bearing_of
from vtox.motor.diagnosis.learning.fit import learn_baseline
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Array, Motor, Recording
from vtox.motor.values.record_lengths import record_length_s

FS_HZ, SECONDS = 10_000.0, 10.0
LEARN_RECORDS = 8
PURPOSE = 9
LOAD = ShaftLoad(torque=0.5, quadratic=0.5, inertia=3.0, noise=3e-3)
CAPACITANCE_F, CONDUCTANCE_S = 5e-9, 1e-9
# Zero sequence of the voltage over V1, at the supply line and at its third harmonic.
ZERO_SEQUENCE, THIRD = 0.004, 0.01


@dataclass(frozen=True, slots=True)
class Base:
    """A sound machine: its input when nothing is broken, and its earlier recordings."""

    name: str
    raw: RawInput
    baseline: Baseline
    healthy: tuple[Recording, ...] = ()

    def baseline_of(self, channels: Collection[str]) -> Baseline:
        """Return the baseline learnt from these channels alone."""
        kept = [
            replace(r, channels={n: x for n, x in r.channels.items() if n in channels})
            for r in self.healthy
        ]
        return learn_baseline(kept, self.raw.nameplate())


def base(stage: Stage, number: int, *, long: bool = False) -> Base:
    """Return machine `number` of a stage, fed from the grid, of some 1 to 30 kW.

    Its records are `SECONDS` long, or if `long` as its nameplate asks.
    """
    grid = [f for f in families(final=stage.final) if not f.drive and f.kw[0] <= 10]
    m = machine(grid[number % len(grid)], 100 + number, stage.seed)
    cases = [_case(m, k) for k in range(LEARN_RECORDS + 1)]
    seconds = max(SECONDS, record_length_s("broken_bar", m.motor)) if long else SECONDS
    made = records(cases, seconds, FS_HZ, channels=(*CURRENTS, *VOLTAGES, "leakage"))
    rng = np.random.default_rng([m.seed, number, PURPOSE])
    elements, ratio = ((8, 0.205), (9, 0.18), (9, 0.203))[number % 3]
    motor = replace(m.motor, bearing=bearing_of(elements, ratio))
    raw = [_raw(r, motor, np.random.default_rng([m.seed, number, k])) for k, r in enumerate(made)]
    index = int(rng.integers(len(raw)))
    others = tuple(r.recording() for k, r in enumerate(raw) if k != index)
    return Base(m.name, raw[index], learn_baseline(others, motor), others)


def _case(m: Machine, number: int) -> Case:
    """Return a record on a quiet grid whose unbalance stays as it is."""
    case = record_case(m, BLOCK * number, PURPOSE)
    angle = np.exp(2j * np.pi * np.random.default_rng([m.seed, number]).uniform())
    supply = replace(
        case.supply,
        wander_hz=0.003,
        unbalance=complex(0.004 + 0.002 * angle),
        amplitude_noise=3e-4,
        flicker=0.0,
        interharmonic=0.0,
        ripple=0.0,
        unbalance_motion=0.0,
    )
    earth = Earth(
        capacitance_f=(CAPACITANCE_F, 1.01 * CAPACITANCE_F, 0.99 * CAPACITANCE_F),
        conductance_s=(CONDUCTANCE_S,) * 3,
        noise_a=1e-6,
    )
    return replace(case, supply=supply, load=LOAD, earth=earth)


def _raw(record: SimulatedRecord, motor: Motor, rng: np.random.Generator) -> RawInput:
    speed_rpm = float(record.speed_rpm.mean())
    seconds = len(record.speed_rpm) / FS_HZ
    shaft = Shaft(
        trouble="unbalance",
        size=0.3,
        shaft_hz=speed_rpm / 60,
        supply_hz=record.truth.supply_hz,
        bearing=motor.bearing or bearing_of(9, 0.2),
        grid_hz=record.truth.supply_hz,
    )
    vibration = vibration_of(shaft, rng, seconds=seconds, fs_hz=FS_HZ).channels["vibration"]
    channels = {**_with_zero_sequence(record), "vibration": vibration}
    return RawInput(
        channels={n: channels[n] for n in ALL_CHANNELS},
        fs_hz=FS_HZ,
        speed_rpm=round(speed_rpm, 1),
        motor={f.name: getattr(motor, f.name) for f in fields(motor)},
    )


def _with_zero_sequence(record: SimulatedRecord) -> dict[str, Array]:
    """Return the channels with a zero sequence in the voltages and its current to earth."""
    plant, earth, hz = record.case.plant, record.case.earth, record.truth.supply_hz
    t = np.arange(len(record.channels["va"])) / FS_HZ
    channels = dict(record.channels)
    capacitance, conductance = sum(earth.capacitance_f), sum(earth.conductance_s)
    for order, size in ((1, ZERO_SEQUENCE), (3, THIRD)):
        w = 2 * np.pi * order * hz
        z = size * plant.peak_phase_v * np.exp(1j * (w * t + order))
        for name in VOLTAGES:
            channels[name] = (channels[name] + z.real).astype(np.float32)
        leak = ((conductance + 1j * w * capacitance) * z).real
        channels["leakage"] = (channels["leakage"] + leak).astype(np.float32)
    return channels
