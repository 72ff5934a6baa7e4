"""The figures of a run, from its history alone: progress, recovery, executions in vain."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from faults.history import Event
from faults.reference import IDLE, Reference

# Time that a killed process needs to load, start and take over, on two idle cores. For the figures
# of progress, the disturbance lasts this much longer.
AFTERMATH_S = 5.0

Window = tuple[str, str, int]  # machine, run, seq


@dataclass(slots=True)
class Run:
    """A history, sorted by kind of event."""

    head: Event = field(default_factory=dict)
    final: Event = field(default_factory=dict)
    drained_s: float | None = None
    slowness_at_start: float = 1.0
    acks: dict[Window, float] = field(default_factory=dict)
    results: list[Event] = field(default_factory=list)
    dead: list[Event] = field(default_factory=list)
    disturbances: list[Event] = field(default_factory=list)
    calm: dict[int, float] = field(default_factory=dict)
    samples: list[Event] = field(default_factory=list)
    measures: list[Event] = field(default_factory=list)
    # Ids of the results that were seen on servers which are the primary no more.
    seen: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, events: Iterable[Event]) -> "Run":
        """Sort events."""
        run = cls()
        lists = {
            "result": run.results,
            "dead": run.dead,
            "disturb": run.disturbances,
            "sample": run.samples,
            "measure": run.measures,
        }
        first_t: dict[str, float] = {}
        for e in events:
            match e["event"]:
                case "timeline":
                    run.seen |= {r["id"] for r in run.results}
                    run.results.clear()
                    run.dead.clear()
                case "result" if "id" in e:
                    # Read again it was there when it was first seen.
                    run.results.append(e | {"t": first_t.setdefault(e["id"], e["t"])})
                case "run":
                    run.head = e
                case "final":
                    run.final = e
                case "started":
                    run.slowness_at_start = e["slowness"]
                case "drained":
                    run.drained_s = e["seconds"]
                case "ack":
                    run.acks.setdefault((e["machine"], e["run"], e["seq"]), e["t"])
                case "calm":
                    run.calm[e["n"]] = e["t"]
                case kind if kind in lists:
                    lists[kind].append(e)
        return run

    @property
    def families(self) -> dict[str, list[str]]:
        """Families and their faults."""
        families: dict[str, list[str]] = self.head["families"]
        return families

    @property
    def reference(self) -> Reference:
        """The earlier run without faults; if it was not measured, that of an idle box."""
        measured = self.head.get("reference")
        return Reference(**measured) if measured else IDLE

    @property
    def slowness(self) -> float:
        """How slow the box was, before or when the run began, if it was busier by then."""
        return max(self.reference.slowness, self.slowness_at_start)

    def limit(self, name: str) -> float | None:
        """Return a limit of the test, None if it states none.

        Times are longer on a slow box, and progress is a share of the progress without faults.
        """
        value: float | None = self.head.get("limits", {}).get(name)
        if value is None:
            return None
        if name.endswith("_s"):
            return value * self.slowness
        return value * self.reference.progress if name == "progress" else value

    def disturbed(self) -> list[tuple[float, float]]:
        """Return when disturbances were on, as intervals that do not overlap."""
        aftermath_s = self.limit("aftermath_s") or AFTERMATH_S * self.slowness
        spans = sorted(
            (d["t"], max(self.calm.get(d["n"], d["t"]), d["t"] + aftermath_s))
            for d in self.disturbances
        )
        merged: list[tuple[float, float]] = []
        for begin, end in spans:
            if merged and begin <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((begin, end))
        return merged


@dataclass(frozen=True, slots=True)
class Figures:
    """A row of the table of `python -m faults`; None is not measured."""

    test: str
    seed: int
    windows: int
    disturbances: int
    lost: int
    doubled: int
    dead: int
    duplicates: float | None
    progress: float | None
    accepted: float | None
    recovery_s: float | None
    drained_s: float | None
    slowness: float
    # Results that readers saw and that a fail-over took back; their windows have others.
    withdrawn: int


def duplicates(run: Run) -> float | None:
    """Return executions of records in excess of the committed ones, as a share of these."""
    executed = sum((run.final.get("executed") or {}).values())
    counters: dict[str, int] = run.final.get("counters", {})
    committed = sum(counters.get(f"records:{f}", 0) for f in run.families)
    return round(executed / committed - 1, 4) if executed and committed else None


def progress(run: Run) -> tuple[float | None, float | None]:
    """Return the rates of answers and of acknowledgements under disturbance, over the run's mean.

    Both rates end at the last acknowledgement; the drain follows. Without disturbances they are
    those of the whole run.
    """
    if not run.acks:
        return None, None
    begin, end = min(run.acks.values()), max(run.acks.values())
    spans = run.disturbed() or [(begin, end)]
    spans = [(max(a, begin), min(b, end)) for a, b in spans if b > begin and a < end]
    total = sum(b - a for a, b in spans)
    if not total:
        return None, None

    def share(times: list[tuple[float, int]], whole: int) -> float:
        inside = sum(n for t, n in times if any(a <= t <= b for a, b in spans))
        return round(inside / total / (whole / (end - begin)), 3)

    faults = sum(map(len, run.families.values()))
    answers = [(e["t"], e["last"] - e["first"] + 1) for e in run.results]
    acks = [(t, 1) for t in run.acks.values()]
    return share(answers, faults * len(run.acks)), share(acks, len(run.acks))


def recovery_s(run: Run) -> float | None:
    """Return the longest time from the end of a disturbance to the next result of each family."""
    times: dict[str, list[float]] = {f: [] for f in run.families}
    family = {fault: f for f, faults in run.families.items() for fault in faults}
    for e in run.results:
        times[family[e["fault"]]].append(e["t"])
    if not run.calm or not all(times.values()):
        return None
    last_ack = max(run.acks.values(), default=0.0)
    waits = [
        next((t for t in ts if t >= end), float("inf")) - end
        for end in run.calm.values()
        for ts in times.values()
        if end < last_ack
    ]
    return round(max(waits), 2) if waits else None
