"""How far power, load and efficiency are from the truth, on machines that no constant came from.

    python -m benchmarks.energy            prints the table of docs/appendix/energy.md
    python -m benchmarks.energy --write    writes it there

The circuits are those of the evaluation's families. Each gets iron, friction and additional losses
of its own; the truth is the circuit's. Waveforms of 1 s at 2.5 kHz go through the analysis as those
of a sender do.
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

import numpy as np

from evaluation.families.catalogue import FAMILIES
from evaluation.families.machines import machine
from tests.signals.loaded_motor import Loaded, loaded, nameplate
from tests.signals.terminals import samples
from vtox.diagnosis.diagnosers.current.front_end import front_end
from vtox.diagnosis.energy.reading import readings
from vtox.simulator.motor_model.plants import Plant, slip_at_torque, steady_state
from vtox.values.domain import CURRENTS, VOLTAGES, Motor, Recording
from vtox.values.energy import MeterReading

PAGE = Path(__file__).parents[1] / "docs/appendix/energy.md"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
SEED = 77
MACHINES, FS_HZ = 2, 2500.0
LOADS = (0.25, 0.4, 0.6, 0.8, 1.0, 1.2)
UNBALANCES = (0.0, 0.01, 0.03)
INSTRUMENTS = {"ideal": 0.0, "0.5 %": 0.005, "1 %": 0.01}


@dataclass(frozen=True, slots=True)
class Point:
    """One record: errors over rated power and in points; NaN where refused."""

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


def recording(x: Loaded, error: float, rated_a: float, rng: np.random.Generator) -> Recording:
    """Return what instruments of a class read: gains, delays, noise."""
    lines = {1: (x.v1, x.i1), -1: (x.v2, x.i2)}
    lines |= {-5: (0.01 * x.v1, 0.004 * x.i1 * -1j), 7: (0.007 * x.v1, 0.002 * x.i1 * -1j)}
    v, i = samples(lines, hz=x.hz, fs_hz=FS_HZ)
    # Without any, samples repeat exactly, which no converter does: they are refused.
    noise = 0.002 if error else 1e-5
    i = i * (1 + error * rng.uniform(-1, 1, (3, 1))) + noise * rated_a * rng.standard_normal(
        i.shape
    )
    v = v * (1 + error / 2 * rng.uniform(-1, 1, (3, 1)))
    channels = dict(zip((*CURRENTS, *VOLTAGES), np.concatenate([i, v]), strict=True))
    return Recording({n: c.astype(np.float32) for n, c in channels.items()}, FS_HZ)


def point(r: MeterReading, x: Loaded, motor: Motor) -> Point:
    """Return the errors of one reading."""
    f, rated = r.figures, motor.rated_power_w or 1.0
    nan = float("nan")
    return Point(
        power=f.get("active_w", nan) / x.input_w - 1,
        load=(f.get("shaft_w", nan) - x.shaft_w) / rated,
        load_half=f.get("shaft_half_w", nan) / rated,
        efficiency=f.get("efficiency", nan) - x.efficiency,
        efficiency_half=f.get("efficiency_half", nan),
    )


def points() -> dict[tuple[str, str, str], list[Point]]:
    """Return the points by family, instruments and what the nameplate has."""
    found: dict[tuple[str, str, str], list[Point]] = defaultdict(list)
    for family in FAMILIES:
        if family.drive:
            continue
        for number in range(MACHINES):
            plant = machine(family, number, SEED).case.plant
            rng = np.random.default_rng([SEED, FAMILIES.index(family), number])
            losses = losses_of(plant, rng)
            plates = {
                "with resistance": nameplate(plant, resistance=True, **losses),
                "without": nameplate(plant, **losses),
            }
            for name, error in INSTRUMENTS.items():
                truths = [
                    loaded(plant, load, unbalance=u, **losses) for load in LOADS for u in UNBALANCES
                ]
                rated_a = plates["without"].rated_current_a or 1.0
                records = [recording(x, error, rated_a, rng) for x in truths]
                for plate, motor in plates.items():
                    motors = [motor] * len(records)
                    read = readings(front_end(records, motors, frames=True, slot_band=False))
                    found[family.name, name, plate] += [
                        point(r, x, motor) for r, x in zip(read, truths, strict=True)
                    ]
    return found


def table(found: dict[tuple[str, str, str], list[Point]]) -> str:
    """Return the table as Markdown."""
    lines = [
        "| instruments | nameplate | power, largest error | load within 2 % | efficiency within "
        "2 points | refused | covered: load, efficiency | least by family | width, median |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in INSTRUMENTS:
        for plate in ("with resistance", "without"):
            families = {f: ps for (f, n, p), ps in found.items() if (n, p) == (name, plate)}
            x = columns([p for ps in families.values() for p in ps])
            covered = {f: columns(ps)["covered"] for f, ps in families.items()}
            lines.append(
                f"| {name} | {plate} | {x['power']:.2%} | {x['load']:.1%} | {x['efficiency']:.1%} "
                f"| {x['refused']:.1%} | {x['covered']:.1%}, {x['efficiency_covered']:.1%} "
                f"| {min(covered.values()):.1%} | {x['width']:.1%} |"
            )
    return "\n".join(lines)


def columns(ps: list[Point]) -> dict[str, float]:
    """Return the figures of some points."""
    power, load, half, efficiency, e_half = np.array(
        [(p.power, p.load, p.load_half, p.efficiency, p.efficiency_half) for p in ps]
    ).T
    told = np.isfinite(load)
    return {
        "power": float(np.nanmax(np.abs(power))),
        "load": float((np.abs(load[told]) <= 0.02).mean()),
        "efficiency": float((np.abs(efficiency[told]) <= 0.02).mean()),
        "refused": float(1 - told.mean()),
        "covered": float((np.abs(load[told]) <= half[told]).mean()),
        "efficiency_covered": float((np.abs(efficiency[told]) <= e_half[told]).mean()),
        "width": float(2 * np.median(half[told])),
    }


def cost_us(repeats: int = 30) -> float:
    """Return CPU time of the readings of a batch of 32, us a record; the phasors are there."""
    plant = machine(FAMILIES[0], 0, SEED).case.plant
    motor, rng = nameplate(plant, resistance=True), np.random.default_rng(0)
    one = recording(loaded(plant, 0.8), 0.0, 1.0, rng)
    analysis = front_end([one] * 32, [replace(motor)] * 32, frames=True, slot_band=False)
    best = np.inf
    for _ in range(repeats):
        began = process_time()
        readings(analysis)
        best = min(best, process_time() - began)
    return 1e6 * best / 32


def main() -> None:
    """Print the table, or write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    found = points()
    text = table(found)
    print(text)
    print(f"{sum(map(len, found.values()))} points; readings cost {cost_us():.1f} us a record")
    if parser.parse_args().write:
        page = PAGE.read_text()
        before, after = page.partition(BEGIN)[0], page.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    main()
