"""From diagnoses to the health of a machine: persistence, hysteresis, one alert per episode. Pure.

`memory` is plain data (it is kept with the machine on the server): per fault the last states as
letters, the severities, and the open alert.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from vtox.domain import QUIET, Diagnosis, Record
from vtox.faults import FAULTS, PERSISTENCE, Persistence

Memory = dict[str, Any]
# `h`: normal, but so near the limit that it neither raises nor clears. `q`: undecided, but nothing
# found where it could be looked (`QUIET`), which clears.
LETTERS = {"normal": "n", "warning": "w", "fault": "f", "unknown": "q"}
# Quiet slots beside an episode count as quiet only where the episode stands out by as much: this
# times the threshold.
STANDS_OUT = 2.0
RANK = {"": 0, "warning": 1, "fault": 2}
# An assessment is written when it changes, and at least this often.
REPEAT_S = 10.0
# What a fault showed longer ago than this says nothing of now: three of the longest records.
UNDECIDED_S = 120.0


@dataclass(frozen=True, slots=True)
class Step:
    """What a record's diagnoses made of a machine."""

    memory: Memory
    health: dict[str, Any]
    alerts: list[dict[str, Any]]
    assessed: bool
    notable: bool


def step(memory: Mapping[str, Any], record: Record, diagnoses: Sequence[Diagnosis]) -> Step:
    """Return the machine's memory, health and new alerts after the diagnoses of one record.

    An alert is raised when `k` of the last `n` decided slots of a fault are at its level or above
    (`PERSISTENCE`), escalated when `k` of them are faults, and cleared when the last `clear` slots
    are normal and not near the limit. Abstentions neither raise nor clear, but for those that are
    `QUIET`. The time of an alert is that of the signal: the start of the first slot found, and of
    the first normal one.
    """
    after: Memory = dict(memory)
    alerts = []
    notable = False
    for d in diagnoses:
        before = memory.get(d.fault, {})
        entry, events = _judge(dict(before), record, d)
        after[d.fault] = entry
        alerts += events
        found = d.state in ("warning", "fault")
        notable |= found and RANK[d.state] > RANK.get(before.get("last", ""), 0)
    health = _health(after, record.t_end)
    told = memory.get("told", {})
    assessed = (
        told.get("state") != health["state"]
        or abs((told.get("health") or 0) - (health["health"] or 0)) >= 1
        or health["t"] - told.get("t", 0) >= REPEAT_S
    )
    if assessed:
        after["told"] = {k: health[k] for k in ("t", "health", "state")}
    return Step(after, health, alerts, assessed, notable)


def load_of(memory: Mapping[str, Any]) -> float | None:
    """Return the load that the machine showed last, positive-sequence A rms; None: not measured."""
    told = [(e["t"], e["load_a"]) for f, e in memory.items() if f in FAULTS and e.get("load_a")]
    return float(max(told)[1]) if told else None


def _judge(
    entry: dict[str, Any], record: Record, d: Diagnosis
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    rule = PERSISTENCE[d.fault]
    k, n, clear = rule.k, rule.n, rule.clear
    entry["last"] = d.state
    entry["reason"] = d.reason
    entry["t"] = record.t_end
    entry["load_a"] = d.indicators.get("load_a")
    if d.state == "unknown" and QUIET not in d.evidence:
        return entry, []
    entry["severity"] = [*entry.get("severity", []), d.severity or 0.0][-n:]
    level, alert = entry.get("level", ""), entry.get("alert", "")
    recent: list[list[Any]] = entry.get("recent", [])
    events = []
    for letter, t in _slots(d, record, rule):
        recent = [*recent, [letter, round(t, 3)]][-max(n, clear) :]
        letters = "".join(x for x, _ in recent)
        last_n = letters[-n:]
        new = level
        if last_n.count("f") >= k:
            new = "fault"
        elif not level and last_n.count("w") + last_n.count("f") >= k:
            new = "warning"
        elif level and len(letters) >= clear and set(letters[-clear:]) <= {"n", "q"}:
            new = ""
        if new == level:
            continue
        event = "cleared" if not new else "escalated" if level else "raised"
        since = recent[-clear][1] if not new else t
        if event == "raised":
            since = next(start for x, start in recent[-n:] if x in "wf")
            alert = f"{record.machine_id}:{d.fault}:{round(since * 1000)}"
        events.append(
            {
                "id": alert,
                "machine_id": record.machine_id,
                "fault": d.fault,
                "level": new or level,
                "event": event,
                "t": since,
                "reason": d.reason if new else _quiet(rule),
            }
        )
        level = new
    entry |= {"recent": recent, "level": level, "alert": alert if level else ""}
    return entry, events


def _quiet(rule: Persistence) -> str:
    """Return why an alert is cleared: what its last diagnosis says may still be of the fault."""
    unit = f"slots of {rule.slot_s:g} s" if rule.slot_s else "records"
    return f"nothing found in {rule.clear} {unit} in a row"


def _slots(d: Diagnosis, record: Record, rule: Persistence) -> list[tuple[str, float]]:
    """Return (letter, start) per slot: the episodes inside a record give it a finer time."""
    normal = "h" if _near(d, rule) else "n"
    letters = LETTERS | {"normal": normal}
    if rule.slot_s is None:
        return [(letters[d.state], record.t_start)]
    episodes = [e for e in d.evidence if e.get("kind") == "episode"]
    slots = []
    for i in range(max(1, round((record.t_end - record.t_start) / rule.slot_s))):
        middle = (i + 0.5) * rule.slot_s
        states = [e["state"] for e in episodes if e["t_start_s"] <= middle < e["t_end_s"]]
        state = max(states, key=lambda s: RANK[s]) if states else "normal"
        if not episodes:
            state = d.state
        slots.append((letters[state], record.t_start + i * rule.slot_s))
    return slots


def _near(d: Diagnosis, rule: Persistence) -> bool:
    """Return whether what is quiet in a record is so only by a hair."""
    if d.statistic is None or d.threshold is None:
        return False
    most = STANDS_OUT if d.state in ("warning", "fault") else 1.0
    return rule.hold * d.threshold < d.statistic < most * d.threshold


def _decided(entry: Mapping[str, Any], t: float) -> bool:
    """Return whether a diagnosis of this fault decided lately: a dead sensor is not health."""
    recent: list[list[Any]] = entry.get("recent", [])
    return any(letter != "q" and t - start <= UNDECIDED_S for letter, start in recent)


def _health(memory: Memory, t: float) -> dict[str, Any]:
    """Health 0..100: 100 less the median severity (in %) of the worst fault with an open alert.

    A fault without an open alert is `normal` where it was decided within `UNDECIDED_S`, else
    `unknown`; a machine of which nothing is decided has no health.
    """
    faults = {}
    for fault in FAULTS:
        entry = memory.get(fault)
        if not entry:
            continue
        severities = entry.get("severity", [])
        faults[fault] = {
            "state": entry.get("level") or ("normal" if _decided(entry, t) else "unknown"),
            "severity": round(median(severities), 4) if severities else None,
            "last": entry["last"],
            "reason": entry["reason"],
        }
    states = [f["state"] for f in faults.values()]
    decided = [s for s in states if s != "unknown"]
    if not decided:
        return {"t": t, "health": None, "state": "unknown", "faults": faults}
    state = max(decided, key=lambda s: RANK.get(s, 0))
    worst = max(
        (f["severity"] or 0.0 for f in faults.values() if f["state"] in ("warning", "fault")),
        default=0.0,
    )
    return {"t": t, "health": round(100 * (1 - worst), 1), "state": state, "faults": faults}
