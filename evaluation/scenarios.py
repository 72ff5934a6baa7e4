"""The cases of the motor model that are run; all noise was fixed here before the first result.

Supply: amplitude noise of 0.05 %, harmonics 5 and 7 of 1.0 and 0.7 %, voltage unbalance up to 1 %
(2 % in the turn-short study). Load: torque noise of 0.5 % rms. Clamps: gain within 0.5 %, delay
within 5 us, noise of 0.05 % of rated current, 12 or 16 bits. Slot harmonics of 0.5 %.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from evaluation.motor_model.case import Case, Clamps, Faults, ShaftLoad, SupplyVoltage
from evaluation.motor_model.plants import PLANTS, Plant, load_for_slip
from evaluation.motor_model.records import with_lower_sideband

Tags = dict[str, Any]
LEVELS_DBC = (-60.0, -54.0, -48.0, -42.0)
SLIPS = (0.005, 0.01, 0.02, 0.03)
WANDERS_HZ = (0.0, 0.002, 0.005, 0.010, 0.020)
# Machines that run at a slip without overload: large ones slip little.
PLANTS_AT = {
    0.005: ("500hp",),
    0.01: ("500hp",),
    0.02: ("2kw2", "3hp", "50hp"),
    0.03: ("2kw2", "3hp", "50hp"),
}
INERTIA = 2.0
# A sound cage: "excellent" begins at 60 dB below the supply line (Penrose 2006).
NATURAL_DBC = (-90.0, -60.0)
SOUND_CAGE = "cage of -60 dBc"
SWING = (0.01, 0.10)  # of the load torque
SWING_HZ = (0.3, 8.0)


def record_case(
    plant: Plant, slip: float, seed: int, *, wander_hz: float = 0.0, unbalance: float = 0.01
) -> Case:
    """Return a healthy case at a slip, with the noise of this module drawn from `seed`."""
    rng = np.random.default_rng([seed, 7])
    angle = np.exp(2j * np.pi * rng.uniform())
    return Case(
        plant=plant,
        seed=seed,
        supply=SupplyVoltage(
            wander_hz=wander_hz,
            unbalance=complex(rng.uniform(0, unbalance) * angle),
            amplitude_noise=5e-4,
            harmonics={5: 0.010, 7: 0.007},
        ),
        load=ShaftLoad(torque=load_for_slip(plant, slip), inertia=INERTIA, noise=5e-3),
        clamps=random_clamps(rng),
        slot_harmonic=0.005,
    )


def random_clamps(rng: np.random.Generator) -> Clamps:
    """Return three clamps within 0.5 % and 5 us."""
    gain, delay = rng.uniform(-0.005, 0.005, 3), rng.uniform(-5e-6, 5e-6, 3)
    return Clamps(
        gain=(float(gain[0]), float(gain[1]), float(gain[2])),
        delay_s=(float(delay[0]), float(delay[1]), float(delay[2])),
        noise=5e-4,
        bits=int(rng.choice([12, 16])),
    )


@lru_cache(maxsize=256)
def asymmetry_at_54_dbc(plant_name: str, slip: float) -> float:
    """Return the rotor asymmetry whose lower sideband is -54 dBc; others scale from it."""
    plant = PLANTS[plant_name]
    quiet = Case(plant=plant, load=ShaftLoad(torque=load_for_slip(plant, slip), inertia=INERTIA))
    asymmetry = with_lower_sideband([quiet], [-54.0])[0].faults.rotor_asymmetry
    return float(abs(asymmetry))


def with_level(case: Case, slip: float, dbc: float) -> Case:
    """Return the case with a rotor cage whose lower sideband is `dbc`, at a random angle."""
    size = asymmetry_at_54_dbc(case.plant.name, slip) * 10 ** ((dbc + 54) / 20)
    angle = np.exp(2j * np.pi * np.random.default_rng([case.seed, 8]).uniform())
    return replace(case, faults=Faults(rotor_asymmetry=complex(size * angle)))


def grid_cases(
    records: int,
    seconds: float,
    *,
    levels: Sequence[float] = LEVELS_DBC,
    slips: Sequence[float] = SLIPS,
    first: int = 0,
) -> list[tuple[Case, Tags]]:
    """Return every level, slip and wander, `records` cases of each; `first` sets the seeds."""
    cases = []
    for i, (dbc, slip, wander_hz, k) in enumerate(
        (d, s, w, k) for d in levels for s in slips for w in WANDERS_HZ for k in range(records)
    ):
        plant = PLANTS[PLANTS_AT[slip][k % len(PLANTS_AT[slip])]]
        seed = round(1e6 + 1e5 * seconds) + first + i
        case = record_case(plant, slip, seed, wander_hz=wander_hz)
        kind = SOUND_CAGE if dbc <= NATURAL_DBC[1] else "broken bar"
        tags: Tags = {"dbc": dbc, "slip": slip, "wander": wander_hz, "seconds": seconds}
        cases.append((with_level(case, slip, dbc), tags | {"kind": kind, "k": k}))
    return cases


def healthy_cases(records: int, seconds: float, *, first: int = 0) -> list[tuple[Case, Tags]]:
    """Return healthy cases, a third each perfect, with a natural cage, with load oscillation."""
    cases = []
    for i in range(first, first + records):
        rng = np.random.default_rng([i, 9])
        slip, wander_hz = SLIPS[i % 4], WANDERS_HZ[(i // 4) % 5]
        plant = PLANTS[PLANTS_AT[slip][(i // 20) % len(PLANTS_AT[slip])]]
        case = record_case(plant, slip, 5_000_000 + i, wander_hz=wander_hz)
        kind = ("perfect", "natural cage", "load oscillation")[i % 3]
        if kind == "natural cage":
            case = with_level(case, slip, float(rng.uniform(*NATURAL_DBC)))
        if kind == "load oscillation":
            case = _with_load_oscillation(case, rng)
        tags: Tags = {"slip": slip, "wander": wander_hz, "seconds": seconds, "kind": kind}
        cases.append((case, tags))
    return cases


def oscillation_cases(records: int) -> list[tuple[Case, Tags]]:
    """Return healthy machines whose load oscillates within 5 % of twice slip frequency."""
    cases = []
    for i in range(records):
        rng = np.random.default_rng([i, 10])
        slip = SLIPS[1 + i % 3]
        plant = PLANTS[PLANTS_AT[slip][(i // 3) % len(PLANTS_AT[slip])]]
        case = record_case(plant, slip, 6_000_000 + i, wander_hz=0.002)
        hz = 2 * slip * plant.supply_hz * rng.uniform(0.95, 1.05)
        load = replace(case.load, swing=float(rng.uniform(*SWING)), swing_hz=float(hz))
        tags = {"slip": slip, "wander": 0.002, "seconds": 10.0, "kind": "swing at 2sf"}
        cases.append((replace(case, load=load), tags))
    return cases


def short_record_cases(records: int) -> list[tuple[Case, Tags]]:
    """Return broken bars of -42 dBc and healthy machines for records of 2*s*f*T below 8."""
    cases = []
    for i in range(records):
        slip = SLIPS[i % 4]
        plant = PLANTS[PLANTS_AT[slip][i % len(PLANTS_AT[slip])]]
        case = record_case(plant, slip, 7_000_000 + i, wander_hz=0.002)
        bins = 2.0 + 5.5 * np.random.default_rng([i, 11]).uniform()
        seconds = round(bins / (2 * slip * plant.supply_hz), 2)
        faulty = i % 2 == 0
        tags = {"slip": slip, "seconds": seconds, "kind": "broken bar" if faulty else "perfect"}
        cases.append((with_level(case, slip, -42.0) if faulty else case, tags))
    return cases


def slot_harmonic_cases(records: int) -> list[tuple[Case, Tags]]:
    """Return healthy machines whose slot harmonics lie within the band, for the slip."""
    cases = []
    for i in range(records):
        slip = SLIPS[i % 4]
        plant = PLANTS[PLANTS_AT[slip][(i // 4) % len(PLANTS_AT[slip])]]
        wander_hz = WANDERS_HZ[(i // 4) % 5]
        case = record_case(plant, slip, 8_000_000 + i, wander_hz=wander_hz)
        tags: Tags = {"slip": slip, "wander": wander_hz, "seconds": 10.0, "kind": "perfect"}
        cases.append((case, tags))
    return cases


def turn_machine(machine: int) -> tuple[Plant, Clamps]:
    """Return one machine of the turn-short study: its plant and its three clamps."""
    plant = PLANTS[sorted(PLANTS)[machine % len(PLANTS)]]
    return plant, random_clamps(np.random.default_rng([machine, 12]))


def turn_cases(
    machine: int, first: int, records: int, shorted: Sequence[float]
) -> list[tuple[Case, Tags]]:
    """Return cases of one machine over load and voltage unbalance up to 2 %, shorted or not."""
    plant, instruments = turn_machine(machine)
    cases = []
    for k in range(records):
        rng = np.random.default_rng([machine, first + k, 13])
        slip = load_slip(plant, float(rng.uniform(0.4, 1.0)))
        seed = 10_000_000 + 100_000 * machine + first + k
        case = record_case(plant, slip, seed, wander_hz=0.005, unbalance=0.02)
        share, phase = shorted[k % len(shorted)], "abc"[int(rng.integers(3))]
        faults = Faults(shorted_turns=share, shorted_phase=phase)  # type: ignore[arg-type]
        tags = {"turns": share, "phase": phase.upper() if share else "", "machine": machine}
        cases.append((replace(case, clamps=instruments, faults=faults), tags))
    return cases


def load_slip(plant: Plant, load: float) -> float:
    """Return the approximate slip at a share of rated torque."""
    return load * (1 - plant.rated_speed_rpm * plant.pole_pairs / 60 / plant.supply_hz)


def gap_cases(machine: int, first: int, records: int, gap: float) -> list[tuple[Case, Tags]]:
    """Return cases of one machine at two loads with an air-gap modulation `gap`."""
    plant, instruments = turn_machine(machine)
    cases = []
    for k in range(records):
        slip = load_slip(plant, (0.6, 0.9)[k % 2])
        seed = 20_000_000 + 100_000 * machine + first + k
        case = record_case(plant, slip, seed, wander_hz=0.005)
        case = replace(case, clamps=instruments, faults=Faults(air_gap=gap))
        cases.append((case, {"gap": gap, "machine": machine}))
    return cases


def _with_load_oscillation(case: Case, rng: np.random.Generator) -> Case:
    swing, hz = float(rng.uniform(*SWING)), float(rng.uniform(*SWING_HZ))
    return replace(case, load=replace(case.load, swing=swing, swing_hz=hz))
