"""The fault registry: which faults exist, the family (queue) of each, and its needs.

Everything that names a fault, a queue or a Celery task reads it from here. A fault is an entry
point of the group `vtox.faults`, of VTOX or of another package: its name, and the module whose
folder has its row, `fault.toml`. To read the row runs no code of that folder.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

from vtox.motor.errors import SystemStateError

# Format of the arguments of a task. A task without `v` is of version 1; further arguments, of a
# later version of VTOX, are ignored.
TASK_VERSION = 1
# Version of the interface between VTOX and the folder of a fault: its row, `Diagnoser`, its words.
INTERFACE = 1
GROUP, ROW = "vtox.faults", "fault.toml"
# Codes of the answers for a fault whose package a worker does not have, or whose code raises.
NOT_INSTALLED, FAILED = "fault_not_installed", "fault_failed"
_AGAIN = "install it again: `make setup` in a checkout, or the wheel"


@dataclass(frozen=True, slots=True)
class Persistence:
    """When a fault's diagnoses become an alert of the machine (`vtox.motor.alarms.health.alerts`).

    `k` of the last `n` decided slots raise it, `clear` normal ones in a row clear it. A slot is a
    record, or `slot_s` seconds of it if the diagnoser reports episodes inside a record. A normal
    slot whose record lies above `hold` of the threshold neither raises nor clears (hysteresis).

    A finding with less than `min_severity` or `min_confidence` does not raise, and clears.
    With `days` of more than 1 the fault is only seen then: it alarms on so many of the last
    `of_days` days (`vtox.motor.alarms.health.days`). `slot_s` and `hold` belong to the diagnoser;
    the rest may be set for a machine (`vtox.motor.alarms.health.sensitivity`).
    """

    k: int
    """so many of the last `n` slots with a fault raise an alert"""
    n: int
    """of so many slots: records, for `turn_short` fifths of a second"""
    clear: int
    """so many slots in a row with nothing found clear it"""
    slot_s: float | None = None
    hold: float = 1.0
    days: int = 1
    """a fault is seen then, and alarms on so many days; 1: at once"""
    of_days: int = 4
    """of the last so many days on which the machine was judged"""
    min_severity: float = 0.0
    """least severity that alerts, 0 to 1"""
    min_confidence: float = 0.0
    """least confidence that alerts, 0 to 1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrongEvidence:
    """A finding that alarms at once, though its fault is only seen on several days.

    It has all that is given here. No doubt may remain but `doubts`; any may if they are `None`.
    """

    state: Literal["warning", "fault"] = "fault"
    """at least"""
    severity: float = 0.0
    confidence: float = 0.0
    over_threshold: float = 0.0
    """least statistic, in multiples of the threshold"""
    indicators: dict[str, float] = field(default_factory=dict)
    """least values"""
    doubts: tuple[str, ...] | None = ()


ViewKind = Literal["phasors", "waveform", "demodulated", "envelope"]


@dataclass(frozen=True, slots=True)
class View:
    """The view of a fault: a kind of spectrum, the phasors, the waveform of a channel."""

    kind: ViewKind
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineLevel:
    """A line whose level the history keeps, under the name `quantity`.

    Its level is the indicator `level` of a result; or that field, and its `threshold`, of the first
    evidence whose field has the value of `evidence`. `name` is among the words.
    """

    quantity: str
    name: str
    level: str
    threshold: str = ""
    evidence: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A row of the registry: the family that diagnoses a fault, when it alerts, its view.

    The folder of `module` diagnoses it (`row.py`); `package` is name and version of the package of
    others that brings it, empty for VTOX's own. One that is `quick` leaves no time: its alarms ask
    for acts within days, others within weeks. The records of one fault are `metered`: they follow
    each other without a gap, and its analysis has the phasors of currents and voltages already. The
    line of one that is `of_slip` is as far from the supply as the slip is large. The history keeps
    the levels of its `lines`. A finding that has one of `strong` alarms at once. `record_needs`
    make the records of the family longer (`vtox.motor.values.record_lengths`).
    """

    name: str
    module: str
    folder: str
    package: str
    family: str
    alert: Persistence
    view: View
    quick: bool = False
    metered: bool = False
    of_slip: bool = False
    lines: tuple[LineLevel, ...] = ()
    strong: tuple[StrongEvidence, ...] = ()
    record_needs: tuple[str, ...] = ()

    def words(self, language: str) -> Path:
        """Return the file with the words of a fault of a package."""
        return Path(self.folder) / "words" / f"{language}.toml"


@dataclass(frozen=True, slots=True)
class PackageProblem:
    """A fault, or formats of files, of a package that VTOX leaves out, and why."""

    name: str
    package: str
    code: Literal[
        "import_failed", "wrong_interface", "wrong_row", "name_twice", "no_words", "wrong_words"
    ]
    detail: str


@dataclass(frozen=True, slots=True)
class Family:
    """One queue: the faults diagnosed there and the length of the records they need.

    If records of several families are shown, its own show the channels, phasors or spectrum of
    the current in `shows`: each once. A baseline that `learns_whole` is learnt from records of full
    length alone. A window takes about `busy_s` of a worker (docs/appendix/performance.md, "How many
    machines a box carries").
    """

    name: str
    min_record_s: float
    busy_s: float
    shows: tuple[str, ...]
    learns_whole: bool = False

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of its faults, VTOX's own first."""
        return tuple(f.name for f in _FAULTS if f.family == self.name)

    @property
    def record_needs(self) -> tuple[str, ...]:
        """What makes its records longer than `min_record_s`."""
        return tuple(n for f in _FAULTS if f.family == self.name for n in f.record_needs)

    @property
    def queue(self) -> str:
        """Name of the Celery queue."""
        return self.name

    @property
    def task(self) -> str:
        """Name of the Celery task."""
        return f"vtox.{self.name}"


# Least record lengths. A turn short shows within cycles of the supply. A bearing needs some dozens
# of shaft turns. The broken-bar sidebands lie 2*s*f from the supply line, 1 Hz at 1 % slip and
# 50 Hz, and need ten bins of distance (docs/explanation/architecture.md, "Records").
FAMILIES: dict[str, Family] = {
    f.name: f
    for f in (
        Family("turn_short", 1.0, 570e-6, shows=("currents", "voltages", "leakage", "phasors")),
        Family("bearing", 2.0, 940e-6, shows=("vibrations",), learns_whole=True),
        Family("broken_bar", 10.0, 420e-6, shows=("current",)),
    )
}


def registered(group: str) -> tuple[dict[str, EntryPoint], list[PackageProblem]]:
    """Return the entry points of a group by name, and the problems of names that are given twice.

    A name of VTOX stays with VTOX. One that two packages give belongs to neither.
    """
    by_name: dict[str, list[EntryPoint]] = {}
    for e in entry_points(group=group):
        by_name.setdefault(e.name, []).append(e)
    if not any(is_own(e) for several in by_name.values() for e in several):
        raise SystemStateError(f"vtox is installed without its entry points {group}", remedy=_AGAIN)
    found, refused = {}, []
    for name, several in by_name.items():
        chosen = [e for e in several if is_own(e)] or several
        if len(chosen) == 1:
            found[name] = chosen[0]
        for e in several:
            if e is not found.get(name):
                others = ", ".join(package_of(o) or "vtox" for o in several if o is not e)
                refused.append(PackageProblem(name, package_of(e), "name_twice", others))
    return found, refused


def is_own(e: EntryPoint) -> bool:
    """Return whether an entry point is one of VTOX itself."""
    return e.value.startswith("vtox.")


def package_of(e: EntryPoint) -> str:
    """Return name and version of the package of an entry point, empty for VTOX."""
    return "" if is_own(e) or e.dist is None else f"{e.dist.name} {e.dist.version}"


def _row(e: EntryPoint) -> Fault | PackageProblem:
    """Return the row of a fault, or why there is none."""
    package = package_of(e)
    try:
        spec = find_spec(e.value)
    except Exception as error:  # packages above the folder run their code
        return PackageProblem(e.name, package, "import_failed", repr(error))
    folder = next(iter((spec and spec.submodule_search_locations) or ()), None)
    if folder is None:
        return PackageProblem(e.name, package, "import_failed", f"no folder of {e.value}")
    file = Path(folder) / ROW
    try:
        table = tomllib.loads(file.read_text("utf-8"))
        if (interface := table.pop("interface", None)) != INTERFACE:
            had = f"{file}: {interface}, VTOX has {INTERFACE}"
            return PackageProblem(e.name, package, "wrong_interface", had)
        row = Fault(
            name=e.name,
            module=e.value,
            folder=folder,
            package=package,
            alert=Persistence(**table.pop("alert")),
            view=View(**table.pop("view")),
            lines=tuple(_line(**line) for line in table.pop("lines", ())),
            strong=tuple(_strong(**strong) for strong in table.pop("strong", ())),
            record_needs=tuple(table.pop("record_needs", ())),
            **table,
        )
        wrong = _wrong_in(row)
    except (OSError, ValueError, LookupError, TypeError) as error:
        wrong = f"{error}"
    if wrong:
        return PackageProblem(e.name, package, "wrong_row", f"{file}: {wrong}")
    return (
        PackageProblem(e.name, package, "no_words", wordless)
        if (wordless := _no_words(row))
        else row
    )


def _line(evidence: Sequence[str] = (), **facts: str) -> LineLevel:
    kind_and_value = (str(evidence[0]), str(evidence[1])) if evidence else None
    return LineLevel(evidence=kind_and_value, **facts)


def _strong(
    state: Literal["warning", "fault"] = "fault",
    doubts: Sequence[str] | Literal["any"] = (),
    indicators: Mapping[str, float] = MappingProxyType({}),
    **least: float,
) -> StrongEvidence:
    return StrongEvidence(
        state=state,
        indicators={name: float(value) for name, value in indicators.items()},
        doubts=None if doubts == "any" else tuple(doubts),
        **{name: float(value) for name, value in least.items()},
    )


def _wrong_in(row: Fault) -> str:
    """Return the part of a row that cannot be, empty if there is none."""
    if row.family not in FAMILIES:
        return f"family {row.family!r}, expected one of {', '.join(FAMILIES)}"
    if row.view.kind not in (kinds := get_args(ViewKind)):
        return f"view {row.view.kind!r}, expected one of {', '.join(kinds)}"
    if not 1 <= row.alert.k <= row.alert.n or row.alert.clear < 1:
        return "alert: expected 1 <= k <= n and 1 <= clear"
    if any(s.state not in ("warning", "fault") for s in row.strong):
        return "strong: expected the state warning or fault"
    if not row.package:
        return ""
    if row.record_needs:
        return "record_needs: the records of a family are as long as the faults of VTOX need"
    if not re.fullmatch("[a-z][a-z0-9_]*", row.name) or row.name in FAMILIES:
        return f"name {row.name!r}, expected small letters, digits and _, and none of a family"
    foreign = [q for x in row.lines if not (q := x.quantity).startswith(f"{row.name}_")]
    return f"line {foreign[0]!r}, expected {row.name}_..." if foreign else ""


def _no_words(row: Fault) -> str:
    """Return why a fault has no name for people, empty if it has one."""
    if not row.package:
        return ""  # among the words of VTOX
    file = row.words("en")
    try:
        names = tomllib.loads(file.read_text("utf-8"))["names"]["fault"]
        return "" if isinstance(names[row.name], str) else f"{file}: [names.fault] {row.name}"
    except (OSError, ValueError, LookupError, TypeError) as error:
        return f"{file}: {error!r}"


def _rows() -> tuple[list[Fault], list[PackageProblem]]:
    """Return the rows, VTOX's own first, by family and its first fault, and the refused."""
    found, refused = registered(GROUP)
    rows = []
    for e in found.values():
        if isinstance(row := _row(e), Fault):
            rows.append(row)
        elif is_own(e):
            raise SystemStateError(f"{row.name}: {row.code}: {row.detail}", remedy=_AGAIN)
        else:
            refused.append(row)
    order = list(FAMILIES)
    rows.sort(key=lambda r: (r.package, order.index(r.family), r.name != r.family, r.name))
    return rows, refused


_FAULTS, REFUSED = _rows()

FAULTS: dict[str, Family] = {f.name: FAMILIES[f.family] for f in _FAULTS}
MODULES = {f.name: f.module for f in _FAULTS}
PERSISTENCE = {f.name: f.alert for f in _FAULTS}
VIEWS = {f.name: f.view for f in _FAULTS}
QUICK = frozenset(f.name for f in _FAULTS if f.quick)
METERED = next(f.name for f in _FAULTS if f.metered and not f.package)
OF_SLIP = frozenset(f.name for f in _FAULTS if f.of_slip)
# Only the faults that have any.
LINES = {f.name: f.lines for f in _FAULTS if f.lines}
# Only the faults that have any.
STRONG = {f.name: f.strong for f in _FAULTS if f.strong}
# The faults that packages of others bring.
PACKAGES = {f.name: f for f in _FAULTS if f.package}
