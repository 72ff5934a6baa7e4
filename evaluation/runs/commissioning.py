"""Wiring and nameplates of installations of the motor model: sound ones, and each mistake."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from evaluation.families.catalogue import Family, families
from evaluation.families.machines import BLOCK, Machine, machine, record_case
from evaluation.motor_model.records import records
from evaluation.seeds import Stage
from vtox.motor.diagnosis.commissioning.findings import Commissioning, commissioning
from vtox.motor.errors import NameplateError
from vtox.motor.values.channel_map import Source, corrected
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Motor, Recording

SECONDS, FS_HZ = 2.0, 5_000.0
SOUND = "sound"
PURPOSE = 11
CHANNELS = (*CURRENTS, *VOLTAGES)
# Records that are made together: one alone takes half as long as thirty.
AT_ONCE = 50
OTHER_HZ = "60 Hz for 50 and the other way"
REFUSED = "nameplate refused"

Mapped = Mapping[str, Source]


def _moved(**sources: str) -> Mapped:
    return {name: Source(channel) for name, channel in sources.items()}


def _scaled(names: tuple[str, ...], factor: float) -> Mapped:
    return {n: Source(n, -1 if factor < 0 else 1, abs(factor)) for n in names}


# Changes to the channels, as a map of the wrong wiring.
WIRING: dict[str, Mapped] = {
    "ia and ib swapped": _moved(ia="ib", ib="ia"),
    "ib and ic swapped": _moved(ib="ic", ic="ib"),
    "currents turned by one phase": _moved(ia="ib", ib="ic", ic="ia"),
    "currents turned by two": _moved(ia="ic", ib="ia", ic="ib"),
    "ia reversed": _scaled(("ia",), -1),
    "ib and ic reversed": _scaled(("ib", "ic"), -1),
    "all currents reversed": _scaled(CURRENTS, -1),
    "ia and ib swapped, ic reversed": {**_moved(ia="ib", ib="ia"), "ic": Source("ic", -1)},
    "ib carries ia": {"ib": Source("ia")},
    "ia times 2": _scaled(("ia",), 2),
    "ib by 5": _scaled(("ib",), 0.2),
    "ic times 1000": _scaled(("ic",), 1000),
    "currents times 10": _scaled(CURRENTS, 10),
    "currents times 1000": _scaled(CURRENTS, 1000),
    "currents by 100": _scaled(CURRENTS, 0.01),
    "va and vb swapped": _moved(va="vb", vb="va"),
    "voltages turned by one phase": _moved(va="vb", vb="vc", vc="va"),
    "va reversed": _scaled(("va",), -1),
    "all voltages reversed": _scaled(VOLTAGES, -1),
    "vb carries va": {"vb": Source("va")},
    "va times 1.3": _scaled(("va",), 1.3),
    "vc times 10": _scaled(("vc",), 10),
    "voltages between lines, as magnitudes": _scaled(VOLTAGES, float(np.sqrt(3))),
    "voltages times 10": _scaled(VOLTAGES, 10),
    "voltages by 10": _scaled(VOLTAGES, 0.1),
}


def _other_bus(recording: Recording) -> Recording:
    """Return the voltages of another supply, whose frequency differs by 0.4 %."""
    n = np.arange(recording.samples)
    late = {
        name: np.interp(0.996 * n, n, recording.channels[name]).astype(np.float32)
        for name in VOLTAGES
    }
    return replace(recording, channels={**recording.channels, **late})


SIGNALS: dict[str, Callable[[Recording], Recording]] = {
    "voltages of another supply": _other_bus,
    "ia not connected": lambda r: _noisy(r, "ia"),
    "va not connected": lambda r: _noisy(r, "va"),
}
PLATES: dict[str, Callable[[Motor], Motor]] = {
    "one pole pair too few": lambda m: replace(m, pole_pairs=(m.pole_pairs or 2) - 1),
    "one pole pair too many": lambda m: replace(m, pole_pairs=(m.pole_pairs or 2) + 1),
    "poles for pole pairs": lambda m: replace(m, pole_pairs=2 * (m.pole_pairs or 1)),
    OTHER_HZ: lambda m: replace(m, supply_hz=110.0 - (m.supply_hz or 50.0), rated_speed_rpm=None),
    "rated current by 10": lambda m: replace(m, rated_current_a=(m.rated_current_a or 1.0) / 10),
}
MISTAKES = (*WIRING, *SIGNALS, *PLATES)


@dataclass(frozen=True, slots=True)
class CommissioningOutcome:
    """The findings in one installation, and those left once the proposed map is applied.

    `healed` is None if nothing was proposed.
    """

    kind: str
    family: str
    codes: tuple[str, ...]
    healed: bool | None


def commissioning_outcomes(
    pool: Executor, stage: Stage, *, installations: int, mistakes: int
) -> list[CommissioningOutcome]:
    """Return the outcomes of this many sound installations, each with this many of the mistakes."""
    blocks = [range(k, min(k + AT_ONCE, installations)) for k in range(0, installations, AT_ONCE)]
    jobs = [pool.submit(block_outcomes, stage, block, mistakes) for block in blocks]
    return [o for j in jobs for o in j.result()]


def block_outcomes(stage: Stage, numbers: range, mistakes: int) -> list[CommissioningOutcome]:
    """Return the outcomes of some installations, whose records are made together."""
    known = families(final=stage.final)
    machines = [machine(known[k % len(known)], 300 + k, stage.seed) for k in numbers]
    cases = [record_case(m, BLOCK * k, PURPOSE) for k, m in zip(numbers, machines, strict=True)]
    made = records(cases, SECONDS, FS_HZ, channels=CHANNELS)
    outcomes = []
    for k, m, record in zip(numbers, machines, made, strict=True):
        recording = Recording({n: record.channels[n] for n in CHANNELS}, FS_HZ)
        outcomes.append(_outcome(SOUND, m.family, recording, m.motor))
        kinds = [MISTAKES[(k * mistakes + i) % len(MISTAKES)] for i in range(mistakes)]
        possible = (kind for kind in kinds if not (kind == OTHER_HZ and m.family.drive))
        outcomes += [_with_mistake(kind, m, recording) for kind in possible]
    return outcomes


def _with_mistake(kind: str, m: Machine, recording: Recording) -> CommissioningOutcome:
    motor = m.motor
    if kind in WIRING:
        recording = _miswired(recording, WIRING[kind])
    elif kind in SIGNALS:
        recording = SIGNALS[kind](recording)
    else:
        try:
            motor = PLATES[kind](motor)
        except NameplateError:
            return CommissioningOutcome(kind, m.family.name, (REFUSED,), None)
    return _outcome(kind, m.family, recording, motor)


def _miswired(recording: Recording, wrong: Mapped) -> Recording:
    """Return the channels as wired wrongly; one that a map takes away is sent twice."""
    after = corrected(recording, wrong)
    return replace(after, channels={**recording.channels, **after.channels})


def _outcome(kind: str, family: Family, recording: Recording, motor: Motor) -> CommissioningOutcome:
    found = commissioning(recording, motor)
    return CommissioningOutcome(kind, family.name, _codes(found), _healed(found, recording, motor))


def _codes(found: Commissioning) -> tuple[str, ...]:
    return tuple(dict.fromkeys(r.code for r in (*found.findings, *found.unusable)))


def _healed(found: Commissioning, recording: Recording, motor: Motor) -> bool | None:
    if not found.proposal:
        return None
    after = commissioning(corrected(recording, found.proposal), motor)
    return not (after.findings or after.unusable)


def _noisy(recording: Recording, name: str) -> Recording:
    size = 0.01 * float(np.abs(recording.channels[name]).max())
    noise = np.random.default_rng(7).normal(0, size, recording.samples).astype(np.float32)
    return replace(recording, channels={**recording.channels, name: noise})
