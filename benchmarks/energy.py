"""How far power, load and efficiency are from the truth, on machines that no constant came from.

    python -m benchmarks.energy            prints the table of docs/appendix/energy.md
    python -m benchmarks.energy --write    writes it there

The circuits are those of the evaluation's families. Each gets iron, friction and additional losses
of its own; the truth is the circuit's. Waveforms of 1 s at 2.5 kHz go through the analysis as those
of a sender do. Families behind a drive run at 60, 80 and 100 % of their rated frequency, with more
harmonics; the others at the grid, with unbalance. A load is torque times speed over the rated ones,
and below 25 % counts for the power alone.
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evaluation.families.catalogue import FAMILIES
from evaluation.families.machines import machine
from evaluation.motor_model.plants import Plant, slip_at_torque, steady_state
from tests.signals.loaded_motor import Loaded, loaded, nameplate
from tests.signals.terminals import samples
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.energy.reading import readings
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Motor, Recording
from vtox.motor.values.energy import MeterReading

PAGE = Path(__file__).parents[1] / "docs/appendix/energy.md"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
SEED = 77
MACHINES, FS_HZ = 2, 2500.0
LOADS, LEAST_LOAD = (0.2, 0.25, 0.4, 0.6, 0.8, 1.0, 1.2), 0.25
UNBALANCES, FREQUENCIES = (0.0, 0.01, 0.03), (0.6, 0.8, 1.0)
INSTRUMENTS = {"ideal": 0.0, "0.5 %": 0.005, "1 %": 0.01}


@dataclass(frozen=True, slots=True)
class Point:
    """One record: errors over rated power and in points; NaN where refused."""

    load_ratio: float
    power: float
    load: float
    load_half: float
    efficiency: float
    efficiency_half: float


def losses_of(plant: Plant, rng: np.random.Generator) -> dict[str, float]:
    """Return losses beside the windings over rated power: half of theirs to 1.1 times."""
    slip = slip_at_torque(plant, plant.rated_torque_nm)
    x = steady_state(plant, slip)
    stator = 1.5 * plant.stator_ohm * abs(x.stator_a) ** 2 / plant.rated_power_w
    rest = (stator + slip) * rng.uniform(0.5, 1.1)
    iron, friction, additional = rng.dirichlet((11, 4, 5)) * rest
    return {"iron": float(iron), "friction": float(friction), "additional": float(additional)}


def recording(
    x: Loaded, error: float, rated_a: float, rng: np.random.Generator, distortion: float = 1.0
) -> Recording:
    """Return what instruments of a class read: gains, delays, noise.

    A `distortion` of 1 is 1 % of 5th and 0.7 % of 7th harmonic in the voltage.
    """
    k = distortion
    lines = {1: (x.v1, x.i1), -1: (x.v2, x.i2)}
    lines |= {-5: (k * 0.01 * x.v1, k * 0.004 * x.i1 * -1j)}
    lines |= {7: (k * 0.007 * x.v1, k * 0.002 * x.i1 * -1j)}
    v, i = samples(lines, hz=x.hz, fs_hz=FS_HZ)
    # Without any, samples repeat exactly, which no converter does: they are refused.
    noise = 0.002 if error else 1e-5
    i = i * (1 + error * rng.uniform(-1, 1, (3, 1))) + noise * rated_a * rng.standard_normal(
        i.shape
    )
    v = v * (1 + error / 2 * rng.uniform(-1, 1, (3, 1)))
    channels = dict(zip((*CURRENTS, *VOLTAGES), np.concatenate([i, v]), strict=True))
    return Recording({n: c.astype(np.float32) for n, c in channels.items()}, FS_HZ)


def point(r: MeterReading, x: Loaded, load_ratio: float, motor: Motor) -> Point:
    """Return the errors of one reading."""
    f, rated = r.figures, motor.rated_power_w or 1.0
    nan = float("nan")
    return Point(
        load_ratio=load_ratio,
        power=f.get("active_w", nan) / x.input_w - 1,
        load=(f.get("shaft_w", nan) - x.shaft_w) / rated,
        load_half=f.get("shaft_half_w", nan) / rated,
        efficiency=f.get("efficiency", nan) - x.efficiency,
        efficiency_half=f.get("efficiency_half", nan),
    )


def truths(plant: Plant, losses: dict[str, float], *, drive: bool) -> list[tuple[float, Loaded]]:
    """Return every steady state of a machine, with its load over the rated one."""
    if drive:
        rated_hz = plant.supply_hz
        return [
            (t * k, loaded(plant, t, hz=k * rated_hz, **losses)) for t in LOADS for k in FREQUENCIES
        ]
    return [(t, loaded(plant, t, unbalance=u, **losses)) for t in LOADS for u in UNBALANCES]


def points() -> dict[tuple[str, ...], list[Point]]:
    """Return the points by family, supply, instruments and what the nameplate has."""
    found: dict[tuple[str, ...], list[Point]] = defaultdict(list)
    for family in FAMILIES:
        supply = "inverter" if family.drive else "grid"
        for number in range(MACHINES):
            plant = machine(family, number, SEED).case.plant
            rng = np.random.default_rng([SEED, FAMILIES.index(family), number])
            losses = losses_of(plant, rng)
            plates = {"with resistance": nameplate(plant, resistance=True, **losses)}
            if family.drive:
                plates = {k: replace(m, supply="inverter") for k, m in plates.items()}
            else:
                plates["without"] = nameplate(plant, **losses)
            rated_a = plates["with resistance"].rated_current_a or 1.0
            for name, error in INSTRUMENTS.items():
                states = truths(plant, losses, drive=bool(family.drive))
                distortion = 3.0 if family.drive else 1.0
                records = [recording(x, error, rated_a, rng, distortion) for _, x in states]
                for plate, motor in plates.items():
                    motors = [motor] * len(records)
                    rows = readings(front_end(records, motors, frames=True, slot_band=False))
                    read = MeterReading.of_rows(rows)
                    found[family.name, supply, name, plate] += [
                        point(r, x, t, motor) for r, (t, x) in zip(read, states, strict=True)
                    ]
    return found


def table(found: dict[tuple[str, ...], list[Point]]) -> str:
    """Return the table as Markdown."""
    lines = [
        "| supply | instruments | nameplate | power, largest error | load within 2 % | efficiency "
        "within 2 points | refused | covered: load, efficiency | least by family | width, median |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in dict.fromkeys(key[1:] for key in found):
        families = {key[0]: ps for key, ps in found.items() if key[1:] == row}
        x = columns([p for ps in families.values() for p in ps])
        covered = min(columns(ps)["covered"] for ps in families.values())
        told = row[0] == "grid"
        efficiency = f"{x['efficiency']:.1%}" if told else "refused"
        of_efficiency = f", {x['efficiency_covered']:.1%}" if told else ""
        lines.append(
            f"| {' | '.join(row)} | {x['power']:.2%} | {x['load']:.1%} | {efficiency} "
            f"| {x['refused']:.1%} | {x['covered']:.1%}{of_efficiency} | {covered:.1%} "
            f"| {x['width']:.1%} |"
        )
    return "\n".join(lines)


def columns(ps: list[Point]) -> dict[str, float]:
    """Return the figures of some points."""
    largest = np.nanmax([abs(p.power) for p in ps])
    load, half, efficiency, e_half = np.array(
        [
            (p.load, p.load_half, p.efficiency, p.efficiency_half)
            for p in ps
            if p.load_ratio >= LEAST_LOAD
        ]
    ).T
    told, e_told = np.isfinite(load), np.isfinite(efficiency)
    return {
        "power": float(largest),
        "load": float((np.abs(load[told]) <= 0.02).mean()),
        "efficiency": float((np.abs(efficiency[e_told]) <= 0.02).mean()) if e_told.any() else 0.0,
        "refused": float(1 - told.mean()),
        "covered": float((np.abs(load[told]) <= half[told]).mean()),
        "efficiency_covered": float((np.abs(efficiency[e_told]) <= e_half[e_told]).mean())
        if e_told.any()
        else 0.0,
        "width": float(2 * np.median(half[told])),
    }


def main() -> None:
    """Print the table, or write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    found = points()
    text = table(found)
    print(text)
    print(f"{sum(map(len, found.values()))} points")
    if parser.parse_args().write:
        page = PAGE.read_text()
        before, after = page.partition(BEGIN)[0], page.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    main()
