"""Baselines learnt on the stream, for machines that somebody has registered.

Nobody can tell from a signal alone that a machine is healthy. The nameplate is the operator's word
that this machine is commissioned; what it then shows over some long records without any finding
becomes its baseline. A load that it runs at later is learnt in the same way, where it continues
what is known (`vtox.learning.extension`). What was learnt is marked so and can be reset:
`vtox baseline reset`.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from vtox import keys
from vtox.baseline import Baseline
from vtox.diagnosis import learn_baseline
from vtox.domain import Diagnosis, Record
from vtox.errors import BaselineError
from vtox.faults import FAULTS
from vtox.health import load_of
from vtox.learning.extension import covers, extended, objection, one_load
from vtox.settings import Settings
from vtox.store.baselines import grow_baseline, refuse_load, set_baseline
from vtox.store.client import Client
from vtox.store.machines import MachineState, listed
from vtox.store.windows import fetch

log = structlog.get_logger()

# Windows are trimmed when they are older than the retention; judging the last record takes a while.
RETAINED = 0.95

Seen = tuple[Record, list[Diagnosis], MachineState]


def learn(client: Client, settings: Settings, seen: Iterable[Seen]) -> None:
    """Note each record that may teach its machine's baseline; learn where there are enough."""
    ended: set[str] = set()
    for record, diagnoses, machine in seen:
        if machine.motor is None:
            continue
        key = keys.machine(record.machine_id)
        load_a = _load_a(diagnoses, machine.memory)
        known = machine.baseline is not None and not _new_load(machine.baseline, load_a)
        if known or record.closed or _finding(diagnoses, machine.memory):
            ended.add(key)
            continue
        if not listed(client, record.machine_id):
            continue  # retired meanwhile
        so_far = [] if key in ended else json.loads(client.hget(key, "learning") or "[]")
        ended.discard(key)
        first = machine.baseline is None
        noted = _followed_by(so_far, record, load_a, any_load=first)
        client.hset(key, "learning", json.dumps(noted))
        if _enough([r["t_end"] - r["t_start"] for r in noted], settings):
            _learn(client, machine, noted)
    with client.pipeline(transaction=False) as pipe:
        for key in ended:
            pipe.hdel(key, "learning")
        pipe.execute()


def _enough(lengths_s: list[float], settings: Settings) -> bool:
    """Return whether records suffice, or another one would outlast the windows of the first."""
    total = sum(lengths_s)
    lost = total + max(lengths_s) > RETAINED * settings.retention_s
    return total >= settings.baseline_s or lost


def _load_a(diagnoses: Iterable[Diagnosis], memory: Mapping[str, Any]) -> float | None:
    """Return the load of a record, A rms, or the last one its machine showed to another family."""
    told = [x for d in diagnoses if isinstance(x := d.indicators.get("load_a"), float)]
    return told[0] if told else load_of(memory)


def _new_load(baseline: str, load_a: float | None) -> bool:
    """Return whether a machine runs where its baseline has no answer."""
    try:
        return load_a is not None and not covers(Baseline.from_json(baseline), load_a)
    except BaselineError:
        return False  # damaged: workers do without it, and say so, until it is reset


def _learn(client: Client, machine: MachineState, noted: list[dict[str, Any]]) -> None:
    records = [Record(**{f: r[f] for f in Record.__slots__}) for r in noted]
    machine_id = records[0].machine_id
    client.hdel(keys.machine(machine_id), "learning")
    recordings = [x for x in fetch(client, keys.RAW, records) if x is not None]
    if len(recordings) < len(records):
        log.warning("windows were trimmed before their baseline was learnt", machine_id=machine_id)
        return
    fresh = learn_baseline(recordings, machine.motor, one_session=True)
    if fresh.empty:
        log.warning("nothing could be learnt from records found healthy", machine_id=machine_id)
        return
    if not listed(client, machine_id):
        return  # retired while it was learnt: a baseline would bring it back
    if machine.baseline is None:
        set_baseline(client, machine_id, fresh.to_json(), source="stream")
        log.info("baseline learnt", machine_id=machine_id, seconds=fresh.seconds)
        return
    before = Baseline.from_json(machine.baseline)
    own = fresh.asymmetry
    if own is None or not one_load([own.low_a, own.high_a]) or covers(before, own.low_a):
        return  # the load moved meanwhile, or was known after all
    loads_a = [own.low_a, own.high_a]
    if why := objection(before, fresh):
        refuse_load(client, machine_id, loads_a, why)
        log.warning("a new load was not learnt as healthy", machine_id=machine_id, reason=why)
        return
    grown = extended(before, fresh, machine.motor).to_json()
    if grow_baseline(client, machine_id, machine.baseline, grown, loads_a):
        log.info("baseline learnt for another load", machine_id=machine_id, load_a=loads_a[-1])


def _finding(diagnoses: Iterable[Diagnosis], memory: Mapping[str, Any]) -> bool:
    entries = [memory[f] for f in FAULTS if f in memory]
    return any(d.state in ("warning", "fault") for d in diagnoses) or any(
        e.get("level") or e.get("last") in ("warning", "fault") for e in entries
    )


def _followed_by(
    noted: list[dict[str, Any]], record: Record, load_a: float | None, *, any_load: bool
) -> list[dict[str, Any]]:
    """Return the records noted with one more; without the earlier ones where it does not follow.

    It follows where no window is missing and, after the first baseline, the load is the same.
    """
    last = noted[-1] if noted else None
    this: dict[str, Any] = {f: getattr(record, f) for f in Record.__slots__} | {"load_a": load_a}
    follows = last and (last["run"], last["last_seq"]) == (record.run, record.first_seq - 1)
    loads_a = [r.get("load_a") or 0.0 for r in (*noted, this)]
    same = any_load or one_load(loads_a)
    return [*noted, this] if follows and same else [this]
