"""`python -m evaluation.starts`: how often starts are recognised, and what is taken for one.

Starts, running machines and broken rotor cages of the motor model, with a seed that no limit was
set on; prints the tables of docs/faults/starts.md and draws its picture.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from evaluation.motor_model.case import Case, Clamps, Faults, ShaftLoad, SupplyVoltage
from evaluation.motor_model.plants import PLANTS, Plant
from evaluation.motor_model.records import nameplate
from evaluation.motor_model.start_case import Method, Start, StartCase
from evaluation.motor_model.start_records import StartRecord, rewound, start_records
from evaluation.plots import BLUE, DPI, GREY, ORANGE, STYLE, WIDTH, pyplot
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosis import diagnose
from vtox.motor.diagnosis.dsp.start_sideband import start_sideband
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Motor, Recording

METHODS: tuple[Method, ...] = ("direct", "star_delta", "soft", "drive")
RUNNING = (
    "steady",
    "load swings",
    "load pulsates",
    "load comes",
    "load goes",
    "load peaks",
    "flicker",
    "dip",
    "interruption",
)
ON_THE_WAY = ("plain", "dip", "load pulsates", "load swings", "soft", "flicker", "star_delta")
BOTH = (*CURRENTS, *VOLTAGES)
CLAMPS = Clamps(noise=0.003, bits=12, full_scale=12.0)
SYNCHRONOUS = 0.95  # share of the last speed at which a start is over
PICTURE = Path(__file__).resolve().parents[1] / "docs/img/evaluation/start.png"


def machine(rng: np.random.Generator) -> Plant:
    """Return a machine of 2 to 8 poles for 50 or 60 Hz."""
    plant = list(PLANTS.values())[rng.integers(len(PLANTS))]
    pairs, hz = int(rng.integers(1, 5)), float(rng.choice([50.0, 60.0]))
    return rewound(plant, pole_pairs=pairs, supply_hz=hz)


def supply(rng: np.random.Generator) -> dict[str, object]:
    """Return the noise of a usual supply."""
    unbalance = float(rng.uniform(0, 0.02))
    return {"amplitude_noise": 0.004, "wander_hz": 0.01, "unbalance": unbalance}


def starting(seed: int, n: int) -> list[StartCase]:
    """Return machines that are started by all methods, with loads of low to high inertia."""
    rng = np.random.default_rng([seed, 1])
    cases = []
    for k in range(n):
        load = ShaftLoad(torque=rng.uniform(0, 0.9), quadratic=1.0, inertia=rng.uniform(0.2, 6))
        start = Start(
            method=METHODS[k % len(METHODS)],
            at_s=float(rng.uniform(0.05, 3.0)),
            skin=rng.uniform(0.5, 2.5),
            source=rng.uniform(0, 0.15),
            ramp_s=rng.uniform(1, 6),
            first_voltage=rng.uniform(0.3, 0.6),
        )
        own = Case(plant=machine(rng), seed=k, load=load, supply=_supply(rng), clamps=CLAMPS)
        cases.append(StartCase(case=own, start=start))
    return cases


def running(seed: int, n: int) -> list[tuple[str, StartCase]]:
    """Return machines that run, with what may look like a start; they are started long before."""
    rng = np.random.default_rng([seed, 2])
    cases = []
    for k in range(n):
        kind = RUNNING[k % len(RUNNING)]
        at = float(rng.uniform(0.5, 4))
        load: dict[str, object] = {"torque": rng.uniform(0.05, 1), "noise": rng.choice([0.0, 0.2])}
        extra: dict[str, object] = {}
        start: dict[str, object] = {}
        if kind == "load swings":
            load |= {"swing": rng.uniform(0.3, 1), "swing_hz": rng.uniform(0.2, 3)}
        elif kind == "load pulsates":
            load |= {"pulses": {1.0: rng.uniform(0.3, 1)}}
        elif kind == "flicker":
            extra = {"flicker": rng.uniform(0.02, 0.1), "flicker_hz": rng.uniform(0.5, 15)}
        elif kind == "dip":
            start = {"dips": ((at, rng.uniform(0.05, 1), rng.uniform(0.4, 0.9)),)}
        elif kind == "interruption":
            start = {"dips": ((at, rng.uniform(0.05, 0.3), 0.0),)}
        elif kind.startswith("load"):
            low, high = rng.uniform(0, 0.3), rng.uniform(0.8, 1.9)
            later = at + rng.uniform(0.2, 1.5)
            steps = {
                "load comes": ((-9.0, low), (at, high)),
                "load goes": ((-9.0, low), (-3.0, high), (at, low)),
                "load peaks": ((-9.0, low), (at, high), (later, low)),
            }
            load["torque"], start = 1.0, {"load_steps": steps[kind]}
        own = Case(
            plant=machine(rng),
            seed=k,
            load=ShaftLoad(quadratic=1.0, inertia=rng.uniform(0, 1), **load),  # type: ignore[arg-type]
            supply=SupplyVoltage(**(supply(rng) | extra)),  # type: ignore[arg-type]
            clamps=CLAMPS,
        )
        cases.append(
            (kind, StartCase(case=own, start=Start(at_s=-9.0, skin=1.0, source=0.03, **start)))  # type: ignore[arg-type]
        )
    return cases


def cages(seed: int, n: int) -> list[tuple[str, StartCase]]:
    """Return starts of sound and broken rotor cages in turn, with what else moves the currents."""
    rng = np.random.default_rng([seed, 3])
    cases = []
    for k in range(n):
        kind, plant = ON_THE_WAY[k // 2 % len(ON_THE_WAY)], machine(rng)
        bars = rng.uniform(0.8, 3) / plant.rotor_bars
        share = bars if k % 2 else rng.choice([0.0, 0.004]) * rng.uniform(0, 1)
        at, light = float(rng.uniform(0.1, 0.8)), plant.inertia_kgm2 < 0.05
        load: dict[str, object] = {"torque": rng.uniform(0.1, 0.9), "noise": 0.1}
        extra: dict[str, object] = {"harmonics": {5: 0.01, 7: 0.01}}
        start: dict[str, object] = {"at_s": at, "skin": rng.uniform(0.5, 2.5)}
        if kind == "dip":
            begin_s = at + rng.uniform(0.1, 1.5)
            start["dips"] = ((begin_s, rng.uniform(0.1, 0.5), rng.uniform(0.5, 0.9)),)
        elif kind == "load pulsates":
            times = float(rng.choice([1, 2, 3, 2 * plant.pole_pairs]))
            load["pulses"] = {times: rng.uniform(0.2, 1)}
        elif kind == "load swings":
            load |= {"swing": 0.5, "swing_hz": rng.uniform(1, 90)}
        elif kind == "flicker":
            extra |= {"flicker": 0.03, "flicker_hz": rng.uniform(1, 30)}
        elif kind in METHODS:
            start |= {"method": kind, "ramp_s": rng.uniform(1, 4)}
        own = Case(
            plant=plant,
            seed=k,
            load=ShaftLoad(
                quadratic=1.0,
                inertia=rng.uniform(10, 60) if light else rng.uniform(2, 12),
                **load,  # type: ignore[arg-type]
            ),
            faults=Faults(rotor_asymmetry=share * np.exp(1j * rng.uniform(0, 2 * np.pi))),
            supply=SupplyVoltage(**(supply(rng) | extra)),  # type: ignore[arg-type]
            clamps=CLAMPS,
        )
        cases.append((kind, StartCase(case=own, start=Start(source=0.05, **start))))  # type: ignore[arg-type]
    return cases


def _supply(rng: np.random.Generator) -> SupplyVoltage:
    return SupplyVoltage(**supply(rng))  # type: ignore[arg-type]


def state(record: StartRecord, channels: Sequence[str], motor: Motor, part: slice) -> str:
    """Return the operating state that the front end finds in a part of a record."""
    cut = {n: record.channels[n][part] for n in channels}
    found = front_end(
        [Recording(cut, record.fs_hz)], [motor], frames=False, slot_band=False
    ).operations[0]
    return found.state if found else "unknown"


def parts_of_start(record: StartRecord, rng: np.random.Generator) -> Iterator[tuple[str, slice]]:
    """Yield the parts of a record of a start that are judged, each with its name."""
    fs, at = record.fs_hz, record.case.start.at_s
    over = float(np.argmax(record.speed_rpm > SYNCHRONOUS * record.speed_rpm.max())) / fs
    before = max(0.0, at - float(rng.uniform(0.02, 0.3)))
    on_the_way = at + float(rng.uniform(0, 0.6)) * (over - at)
    yield "whole", slice(0, None)
    yield "1 s from before", slice(round(before * fs), round((before + 1) * fs))
    yield "2 s from before", slice(round(before * fs), round((before + 2) * fs))
    yield "under way, to the end", slice(round(on_the_way * fs), None)


def count_starts(records: Sequence[StartRecord], seed: int) -> dict[tuple[str, ...], Counter[str]]:
    """Return states by part, method and what is known: channels and nameplate."""
    rng = np.random.default_rng([seed, 4])
    counts: dict[tuple[str, ...], Counter[str]] = {}
    for r in records:
        plate = nameplate(r.case.case.plant)
        for name, part in parts_of_start(r, rng):
            for channels in (CURRENTS, BOTH, ("ia",)):
                for motor in (plate, Motor()):
                    known = f"{len(channels)} channels, {'nameplate' if motor is plate else 'none'}"
                    key = (name, known, r.case.start.method)
                    counts.setdefault(key, Counter())[state(r, channels, motor, part)] += 1
    return counts


def count_running(records: Sequence[tuple[str, StartRecord]]) -> dict[str, Counter[str]]:
    """Return states of running machines by kind, in records of 1, 2 and 6 s.

    Records in which the machine falls behind breakdown are left out: it is not running.
    """
    counts: dict[str, Counter[str]] = {}
    for kind, r in records:
        for seconds in (1, 2, 6):
            size = round(seconds * r.fs_hz)
            for begin in range(0, len(r.speed_rpm) - size + 1, size):
                part = slice(begin, begin + size)
                if r.speed_rpm[part].min() < 0.85 * r.speed_rpm.max() or _is_off(r, begin):
                    continue
                for channels in (CURRENTS, BOTH, ("ia",)):
                    for motor in (nameplate(r.case.case.plant), Motor()):
                        found = state(r, channels, motor, part)
                        counts.setdefault(kind, Counter())[found] += 1
    return counts


def _is_off(record: StartRecord, begin: int) -> bool:
    """Return whether a part begins while the supply is interrupted: that is a start."""
    first = np.array([record.channels[c][begin : begin + 100] for c in CURRENTS])
    return bool(np.abs(first).max() < 0.05 * np.abs(record.channels["ia"]).max())


def count_cages(records: Sequence[tuple[str, StartRecord]]) -> dict[tuple[str, bool], Counter[str]]:
    """Return the answers for broken bars by kind and whether the rotor cage is broken."""
    counts: dict[tuple[str, bool], Counter[str]] = {}
    for kind, r in records:
        (d,) = diagnose(r.recording(), nameplate(r.case.case.plant), faults=["broken_bar"])
        said = d.code if d.state != "unknown" or not d.doubts else d.doubts[-1].code
        broken = abs(r.case.case.faults.rotor_asymmetry) > 0.005
        counts.setdefault((kind, broken), Counter())[said] += 1
    return counts


def draw(path: Path) -> None:
    """Draw the current of a start and the sweep of its lower sideband, sound and broken."""
    if (plt := pyplot()) is None:
        return
    fault = Faults(rotor_asymmetry=0.03)
    cases = [
        StartCase(
            case=Case(plant=PLANTS["50hp"], load=ShaftLoad(torque=0.6, inertia=4.0), faults=f),
            start=Start(skin=1.5, source=0.05),
        )
        for f in (Faults(), fault)
    ]
    sound, broken = start_records(cases, 5.0)
    with plt.rc_context(STYLE):
        figure, (top, bottom) = plt.subplots(
            2, 1, figsize=(WIDTH, 5.2), sharex=True, layout="constrained"
        )
        t = np.arange(len(sound.speed_rpm)) / sound.fs_hz
        top.plot(t, sound.channels["ia"], color=BLUE, lw=0.5)
        top.set(ylabel="current, A", title="A direct start of the motor model")
        speed = top.twinx()
        speed.plot(t, sound.speed_rpm, color=GREY, lw=1.5)
        speed.set(ylabel="speed, rpm")
        x = np.array([broken.channels[c] for c in CURRENTS])
        first = round(0.6 * broken.fs_hz)
        found = start_sideband(x[:, first : first + round(3 * broken.fs_hz)], broken.fs_hz, 60.0)
        slip = 1 - broken.speed_rpm / 1800
        bottom.plot(t, 60 * (1 - 2 * slip), color=GREY, lw=1.5, label="f(1 - 2s), by the speed")
        if found:
            label = f"found, {found.level_db:.0f} dB: bars differ by 3 %"
            bottom.plot(
                found.hz_s[:, 1] + 0.6, found.hz_s[:, 0], "o", ms=4, color=ORANGE, label=label
            )
        bottom.set(xlabel="time, s", ylabel="lower sideband, Hz", ylim=(-65, 65))
        bottom.legend(loc="lower right")
        figure.savefig(path, dpi=DPI)
        plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, run and print."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.starts", description=__doc__)
    parser.add_argument("--records", type=int, default=180, help="of each of the three sets")
    parser.add_argument("--seed", type=int, default=20_261_127)
    options = parser.parse_args(arguments)
    draw(PICTURE)
    n, seed = options.records, options.seed
    starts = count_starts(start_records(starting(seed, n), 10.0), seed)
    for key, counts in sorted(starts.items()):
        print("start", *key, dict(counts), sep=" | ")
    kinds, cases = zip(*running(seed, n), strict=True)
    for kind, counts in count_running(
        list(zip(kinds, start_records(cases, 6.0), strict=True))
    ).items():
        print("running", kind, dict(counts), sep=" | ")
    kinds, cases = zip(*cages(seed, n), strict=True)
    found = count_cages(list(zip(kinds, start_records(cases, 6.0), strict=True)))
    for (kind, is_broken), counts in sorted(found.items()):
        print("rotor cage", kind, "broken" if is_broken else "sound", dict(counts), sep=" | ")


if __name__ == "__main__":
    main()
