"""The checker: reads a history and nothing else, and says what in it must not be.

    python -m faults.check HISTORY ...

Every acknowledged window has, for each fault, exactly one result or its family's dead letter;
nothing is left pending; the counters agree; and there was progress while disturbances were on, so
that a run in which everything was refused does not pass.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.history import Event, read

# What a process that was killed needs to load, start and take over: the disturbance lasts so long
# for the figures of progress.
AFTERMATH_S = 5.0
SHOWN = 5

Window = tuple[str, str, int]  # machine, run, seq


@dataclass(slots=True)
class Run:
    """A history, sorted by kind of event."""

    head: Event = field(default_factory=dict)
    final: Event = field(default_factory=dict)
    drained_s: float | None = None
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

    def limit(self, name: str) -> float | None:
        """Return a limit of the test, None where it states none."""
        value: float | None = self.head.get("limits", {}).get(name)
        return value

    def disturbed(self) -> list[tuple[float, float]]:
        """Return when disturbances were on, as intervals that do not overlap."""
        spans = sorted(
            (d["t"], max(self.calm.get(d["n"], d["t"]), d["t"] + AFTERMATH_S))
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
    # Results that readers saw and that a fail-over took back; their windows have others.
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Figures of a run, and every violation in words."""

    figures: Figures
    violations: list[str]


def check(events: Iterable[Event]) -> Verdict:
    """Check a history."""
    run = Run.of(events)
    if not run.head:
        raise ValueError("the history has no event `run`: it is not of `python -m faults`")
    answers = _answers(run)
    expected = {(w, fault) for w in run.acks for fs in run.families.values() for fault in fs}
    lost = sorted(expected - answers.keys())
    doubled = sorted(key for key, n in answers.items() if n > 1)
    progress, accepted = _progress(run)
    figures = Figures(
        test=run.head["test"],
        seed=run.head["seed"],
        windows=len(run.acks),
        disturbances=len(run.disturbances),
        lost=len(lost),
        doubled=len(doubled),
        dead=len(run.dead),
        duplicates=_duplicates(run),
        progress=progress,
        accepted=accepted,
        recovery_s=_recovery_s(run),
        drained_s=run.drained_s,
        withdrawn=len(run.seen - {e.get("id", "") for e in run.results}),
    )
    violations = [
        *_list("lost (acknowledged, neither result nor dead letter)", lost),
        *_list("doubled", doubled),
        *_list("answered, but never acknowledged", sorted(answers.keys() - expected)),
        *_state(run),
        *_counters(run),
        *_limits(run, figures),
    ]
    return Verdict(figures, violations)


def _answers(run: Run) -> Counter[tuple[Window, str]]:
    """Return how often each window was answered for each fault: results and dead letters."""
    answers: Counter[tuple[Window, str]] = Counter()
    for e in run.results:
        for seq in range(e["first"], e["last"] + 1):
            answers[(e["machine"], e["run"], seq), e["fault"]] += 1
    runs = {(machine, seq): run_name for machine, run_name, seq in run.acks}
    for e in run.dead:
        seq = int(e["seq"]) if str(e["seq"]).isdigit() else -1
        window = (e["machine"], runs.get((e["machine"], seq), ""), seq)
        families = [e["family"]] if e["family"] else list(run.families)
        for fault in (fault for f in families for fault in run.families[f]):
            answers[window, fault] += 1
    return answers


def _list(what: str, keys: Sequence[tuple[Window, str]]) -> list[str]:
    if not keys:
        return []
    shown = ", ".join(f"{m} {r} {s} {fault}" for (m, r, s), fault in keys[:SHOWN])
    return [f"{len(keys)} {what}: {shown}{' ...' if len(keys) > SHOWN else ''}"]


def _state(run: Run) -> Iterator[str]:
    """Yield what was left at the end."""
    if not run.final:
        yield "the run did not reach its end: no event `final`"
        return
    for name in ("pending", "lag", "progress"):
        if run.final[name] != 0:
            yield f"{name} is {run.final[name]} at the end, expected 0"
    for name in ("ledger", "queues"):
        if left := {f: n for f, n in run.final[name].items() if n}:
            yield f"{name} not empty at the end: {left}"
    for name, events in (("results", run.results), ("dead", run.dead)):
        if run.final[name] != len(events):
            yield f"{run.final[name]} {name} in the stream, {len(events)} in the history"


def _counters(run: Run) -> Iterator[str]:
    """Yield counters that differ from the acknowledged windows."""
    if not run.final:
        return
    count = defaultdict(int, run.final["counters"])
    windows = len(run.acks)
    refused = sum(not e["family"] for e in run.dead)
    sums = {
        "windows_in": count["windows_in"] + count["windows_refused"],
        "windows_done + windows_dead": count["windows_done"] + count["windows_dead"] + refused,
    }
    for f in run.families:
        sums[f"windows:{f} + dead:{f}"] = count[f"windows:{f}"] + count[f"dead:{f}"] + refused
    for name, value in sums.items():
        if value != windows:
            yield f"{name} is {value}, but {windows} windows were acknowledged"
    for f in run.families:
        for what in ("windows", "bytes"):
            if n := count[f"in_flight_{what}:{f}"]:
                yield f"in_flight_{what}:{f} is {n} at the end, expected 0"


def _limits(run: Run, figures: Figures) -> Iterator[str]:
    """Yield what is beyond the limits of the test."""
    queue = max((n for s in run.samples for n in s["queues"].values()), default=0)
    at_most: dict[str, Any] = {
        "queue": queue,
        "drained_s": float("inf") if run.drained_s is None else run.drained_s,
        "duplicates": figures.duplicates,
        "recovery_s": figures.recovery_s,
        "dead": figures.dead,
    }
    at_least: dict[str, Any] = {
        "progress": figures.progress,
        "accepted": figures.accepted,
        "disturbances": figures.disturbances,
        "windows": figures.windows,
    }
    for name, value in at_most.items():
        limit = run.limit(name)
        if limit is not None and value is not None and value > limit:
            yield f"{name} is {value:g}, expected at most {limit:g}"
    for name, value in at_least.items():
        limit = run.limit(name)
        if limit is not None and (value is None or value < limit):
            yield f"{name} is {'unknown' if value is None else f'{value:g}'}, expected {limit:g}"
    for m in run.measures:
        if "at_most" in m and not m["value"] <= m["at_most"]:
            yield f"{m['name']}: {m['value']}, expected at most {m['at_most']}"
        if "at_least" in m and not m["value"] >= m["at_least"]:
            yield f"{m['name']}: {m['value']}, expected at least {m['at_least']}"
    if any(e["latency_ms"] < 0 for e in run.results):
        yield "a latency is negative"


def _duplicates(run: Run) -> float | None:
    """Return executions of records beyond those that were committed, as a share of these."""
    executed = sum((run.final.get("executed") or {}).values())
    counters: dict[str, int] = run.final.get("counters", {})
    committed = sum(counters.get(f"records:{f}", 0) for f in run.families)
    return round(executed / committed - 1, 4) if executed and committed else None


def _progress(run: Run) -> tuple[float | None, float | None]:
    """Return the rates of answers and of acknowledgements under disturbance, over the run's mean.

    Both up to the last acknowledgement: what comes later is the drain.
    """
    spans = run.disturbed()
    if not spans or not run.acks:
        return None, None
    begin, end = min(run.acks.values()), max(run.acks.values())
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


def _recovery_s(run: Run) -> float | None:
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


def main(paths: Sequence[str]) -> int:
    """Check files; return the exit status."""
    bad = 0
    for path in paths:
        verdict = check(read(Path(path)))
        print(f"{path}: {verdict.figures}")
        for violation in verdict.violations:
            print(f"  {violation}")
        bad += bool(verdict.violations)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
