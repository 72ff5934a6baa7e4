"""The fault registry: which faults exist, which family (queue) owns each, and what a family needs.

Everything that names a fault, a queue or a Celery task reads it from here.
"""

from dataclasses import dataclass

# Format of what a task carries. A task without `v` is of version 1; further arguments, of a later
# version of VTOX, are ignored.
TASK_VERSION = 1


@dataclass(frozen=True, slots=True)
class Persistence:
    """When a fault's diagnoses become an alert of the machine (`vtox.motor.alarms.health.alerts`).

    `k` of the last `n` decided slots raise it, `clear` normal ones in a row clear it. A slot is a
    record, or `slot_s` seconds of it where the diagnoser reports episodes inside a record. A normal
    slot whose record lies above `hold` of the threshold neither raises nor clears (hysteresis).
    What is found with less than `min_severity` or `min_confidence` does not raise, and clears.
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


@dataclass(frozen=True, slots=True)
class View:
    """What shows a fault to people: a kind of spectrum, the phasors, the waveform of a channel."""

    kind: str
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


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of the registry: the family that diagnoses a fault, when it alerts, what shows it.

    The folder `vtox/motor/diagnosis/diagnosers/<name>` diagnoses it. One that is `quick` leaves no
    time: its alarms ask for acts within days where others have weeks. Of its `lines` the history
    keeps the levels.
    """

    name: str
    family: str
    alert: Persistence
    view: View
    quick: bool = False
    lines: tuple[LineLevel, ...] = ()


_ECCENTRICITY = tuple(
    LineLevel(
        quantity=f"eccentricity_{side}_dbc",
        name=f"eccentricity.{side}_dbc",
        level=f"{side}_dbc",
        evidence=("kind", "line"),
    )
    for side in ("lower", "upper")
)
_BROKEN_BAR = tuple(
    LineLevel(
        quantity=f"broken_bar_{side}_dbc",
        name=f"broken_bar.{side}_dbc",
        level=f"{side}_sideband_dbc",
    )
    for side in ("lower", "upper")
)
# The comb of each defect over what chance makes.
_BEARING = tuple(
    LineLevel(
        quantity=f"bearing_{defect.lower()}",
        name=defect,
        level="statistic",
        threshold="threshold",
        evidence=("defect", defect),
    )
    for defect in ("BPFO", "BPFI", "BSF", "FTF")
)
# A short between turns burns through within days of a fault, an insulation that leaks does so at
# the next surge: these are quick. The others grow over weeks.
# If a share p of the conditions of a day is wrong, 365 x 3 x p^3 alarms come in a year: with the
# 5 % of pumps one in seven years.
DAYS = 3
_FAULTS = (
    # A short may come and go within seconds: its episodes have a resolution of 0.2 s. A short that
    # stays at the limit must make one episode, not twenty: 0.64 of T2 is 0.8 of the current.
    Fault(
        "turn_short",
        "turn_short",
        Persistence(3, 4, 2, slot_s=0.2, hold=0.64),
        View("phasors"),
        quick=True,
    ),
    Fault(
        "insulation", "turn_short", Persistence(3, 5, 5), View("waveform", "leakage"), quick=True
    ),
    # Bearing damage lasts for days, so its alerts can wait: docs/calibration/bearing.md#alerts
    Fault("bearing", "bearing", Persistence(6, 8, 5, days=DAYS), View("envelope"), lines=_BEARING),
    Fault(
        "eccentricity",
        "bearing",
        Persistence(3, 5, 5, hold=0.8, days=DAYS),
        View("demodulated"),
        lines=_ECCENTRICITY,
    ),
    Fault(
        "broken_bar",
        "broken_bar",
        Persistence(2, 3, 3, days=DAYS),
        View("demodulated"),
        lines=_BROKEN_BAR,
    ),
)


@dataclass(frozen=True, slots=True)
class Family:
    """One queue: the faults diagnosed there and the length of the records they need.

    Where records of several families are shown, its own show the channels, phasors or spectrum of
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
        """Names of its faults."""
        return tuple(f.name for f in _FAULTS if f.family == self.name)

    @property
    def queue(self) -> str:
        """Name of the Celery queue."""
        return self.name

    @property
    def task(self) -> str:
        """Name of the Celery task."""
        return f"vtox.{self.name}"


# Least record lengths: a turn short shows within cycles of the supply; a bearing needs some dozens
# of shaft turns; the broken-bar sidebands lie 2*s*f from the supply line, 1 Hz at 1 % slip and
# 50 Hz, and need ten bins of distance (docs/explanation/architecture.md, "Records").
FAMILIES: dict[str, Family] = {
    f.name: f
    for f in (
        Family("turn_short", 1.0, 570e-6, shows=("currents", "voltages", "leakage", "phasors")),
        Family("bearing", 2.0, 940e-6, shows=("vibrations",), learns_whole=True),
        Family("broken_bar", 10.0, 420e-6, shows=("current",)),
    )
}

FAULTS: dict[str, Family] = {f.name: FAMILIES[f.family] for f in _FAULTS}
PERSISTENCE = {f.name: f.alert for f in _FAULTS}
VIEWS = {f.name: f.view for f in _FAULTS}
QUICK = frozenset(f.name for f in _FAULTS if f.quick)
# Of the faults that have any.
LINES = {f.name: f.lines for f in _FAULTS if f.lines}
