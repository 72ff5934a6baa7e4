"""The worth of the advice of each `unknown`: follow it if something is missing, then ask again.

A sound machine with all channels, a nameplate and a baseline (`evaluation.inputs.base`) is made to
lack something, or its input is broken. Each code of an abstention names its remedy
(`vtox.motor.alarms.coverage.unlocks`). The run applies only this remedy, at most `STEPS` times in a
row. If the same code comes again, the recording itself is wrong, and a new one is made.
"""

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from evaluation.inputs.base import Base, base
from evaluation.inputs.cases import MISTAKES
from evaluation.inputs.mistake import Change, RawInput, plate, sent, without
from evaluation.seeds import Stage
from vtox.motor.alarms.coverage.unlocks import Unlock, unlock
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.errors import InputError
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, VOLTAGES

STEPS = 3


@dataclass(frozen=True, slots=True)
class Tried:
    """One abstention: its code, the remedies in turn, and whether they decided it."""

    fault: str
    code: str
    machine: str
    lacking: str
    remedies: tuple[Unlock, ...]
    decided: bool
    last: str


@dataclass(frozen=True, slots=True)
class SetUp:
    """The input of a machine and its baseline."""

    raw: RawInput
    baseline: Baseline | None


def _cut(seconds: float) -> Change:
    def change(raw: RawInput, rng: np.random.Generator) -> RawInput:
        n = round(seconds * raw.fs_hz)
        return replace(raw, channels={name: x[:n] for name, x in raw.channels.items()})

    return change


def _thinned(by: int) -> Change:
    def change(raw: RawInput, rng: np.random.Generator) -> RawInput:
        channels = {name: x[::by] for name, x in raw.channels.items()}
        return replace(raw, channels=channels, fs_hz=raw.fs_hz / by)

    return change


def _noisy(name: str, share: float) -> Change:
    def change(raw: RawInput, rng: np.random.Generator) -> RawInput:
        x = raw.channels[name]
        noise = share * float(np.std(x)) * rng.standard_normal(len(x))
        return replace(raw, channels={**raw.channels, name: (x + noise).astype(np.float32)})

    return change


def _swelling(raw: RawInput, rng: np.random.Generator) -> RawInput:
    channels = dict(raw.channels)
    for name in CURRENTS:
        x = channels[name]
        channels[name] = (x * np.linspace(0.6, 1.5, len(x))).astype(np.float32)
    return replace(raw, channels=channels)


def _and(*changes: Change) -> Change:
    def change(raw: RawInput, rng: np.random.Generator) -> RawInput:
        for one in changes:
            raw = one(raw, rng)
        return raw

    return change


_UNMEASURED = without(*VOLTAGES, "leakage")
# The missing inputs of the machine, in addition to the kinds of broken input.
LACKING: Mapping[str, Change] = {
    "one current": without("ib", "ic", *VOLTAGES, "leakage", "vibration"),
    "no voltages": _UNMEASURED,
    "vibration alone": without(*CURRENTS, *VOLTAGES, "leakage"),
    "vibration alone, no speed": _and(
        without(*CURRENTS, *VOLTAGES, "leakage"), sent(speed_rpm=None), plate(rated_speed_rpm=None)
    ),
    "no speed": sent(speed_rpm=None),
    "no speed, no voltages": _and(_UNMEASURED, sent(speed_rpm=None)),
    "no bearing": plate(bearing=None),
    "no nameplate": plate(
        pole_pairs=None,
        supply_hz=None,
        rated_speed_rpm=None,
        rated_current_a=None,
        rated_voltage_v=None,
        rated_power_w=None,
        rotor_bars=None,
        bearing=None,
    ),
    "no rated current, no voltages": _and(
        _UNMEASURED, plate(rated_current_a=None, rated_power_w=None)
    ),
    "no rated speed, no speed": _and(plate(rated_speed_rpm=None), sent(speed_rpm=None)),
    "a drive without voltages": _and(_UNMEASURED, plate(supply="inverter"), sent(speed_rpm=None)),
    "a drive, vibration alone": _and(
        without(*CURRENTS, *VOLTAGES, "leakage"), plate(supply="inverter"), sent(speed_rpm=None)
    ),
    "0.15 s": _cut(0.15),
    "0.5 s": _cut(0.5),
    "2 s": _cut(2.0),
    "5 s": _cut(5.0),
    "1/16 of the rate": _thinned(16),
    "1/50 of the rate": _thinned(50),
    "noise on a current": _and(*(_noisy(c, 0.05) for c in CURRENTS), _UNMEASURED),
    "noise on the leakage": _noisy("leakage", 3.0),
    "a current that swells": _swelling,
}


def advice_outcomes(pool: Executor, stage: Stage, *, machines: int, every: int) -> list[Tried]:
    """Return the results of the advice on this many machines, of every `every`-th kind of input."""
    jobs = [pool.submit(_machine_job, stage, k, every) for k in range(machines)]
    return [o for j in jobs for o in j.result()]


def _machine_job(stage: Stage, number: int, every: int) -> list[Tried]:
    whole = base(stage, number, long=True)
    kinds = {**LACKING, **{n: MISTAKES[n].change for n in list(MISTAKES)[::every]}}
    found: list[Tried] = []
    for k, (name, change) in enumerate({"nothing": _and(), **kinds}.items()):
        try:
            raw = change(whole.raw, np.random.default_rng(stage.seed + k))
        except InputError:
            continue
        for known in (whole.baseline, None):
            found += _tried(whole, SetUp(raw, known), name)
    return found


def _tried(whole: Base, now: SetUp, lacking: str) -> list[Tried]:
    tried = []
    for fault, (state, code) in _answers(now).items():
        if state != "unknown":
            continue
        remedies: list[Unlock] = []
        own, last = now, code
        while state == "unknown" and len(remedies) < STEPS:
            remedy = unlock(last)
            if remedies and remedy == remedies[-1]:
                remedy = "wiring"
            remedies.append(remedy)
            own = _put_right(own, whole, remedy)
            state, last = _answers(own).get(fault, ("unknown", last))
        tried.append(
            Tried(fault, code, whole.name, lacking, tuple(remedies), state != "unknown", last)
        )
    return tried


def _answers(x: SetUp) -> dict[str, tuple[str, str]]:
    """Return state and code by fault; nothing of an input that is refused."""
    try:
        question = DiagnosisInput(x.raw.recording(), x.raw.nameplate(), x.baseline)
    except InputError:
        return {}
    return {d.fault: (d.state, d.code) for d in diagnose_batch([question])[0]}


def _put_right(x: SetUp, whole: Base, remedy: Unlock) -> SetUp:
    """Return a set-up with that of the whole machine which a remedy names."""
    good = whole.raw
    same_length = len(next(iter(x.raw.channels.values()), ())) == len(good.channels["ia"])
    if remedy == "channel" and x.raw.fs_hz == good.fs_hz and same_length:
        channels = {**good.channels, **x.raw.channels}
        learnt = None if x.baseline is None else whole.baseline_of(channels)
        return SetUp(replace(x.raw, channels=channels), learnt)
    if remedy == "nameplate":
        return replace(x, raw=replace(x.raw, motor=good.motor))
    if remedy == "baseline":
        return replace(x, baseline=whole.baseline_of(x.raw.channels))
    if remedy == "speed":
        return replace(x, raw=replace(x.raw, speed_rpm=good.speed_rpm))
    # Another recording of the same instruments: longer, faster, at a steady load, rightly wired.
    names = list(good.channels) if remedy in _ALL_INSTRUMENTS else list(x.raw.channels)
    channels = {n: good.channels[n] for n in names if n in good.channels}
    return replace(x, raw=replace(x.raw, channels=channels, fs_hz=good.fs_hz))


_ALL_INSTRUMENTS: tuple[Unlock, ...] = ("channel", "wiring", "distinction")
