"""Baselines learnt on the stream, for machines that somebody has registered.

Nobody can tell from a signal alone that a machine is healthy. The nameplate is the operator's word
that this machine is commissioned; what it then shows over some long records without any finding
becomes its baseline, marked as learnt on the stream, and can be reset (`vtox baseline reset`).
"""

import json
from collections.abc import Iterable
from typing import Any

import structlog

from vtox import keys
from vtox.diagnosis import learn_baseline
from vtox.domain import Diagnosis, Record
from vtox.settings import Settings
from vtox.store.client import Client
from vtox.store.machines import MachineState, set_baseline
from vtox.store.windows import fetch

log = structlog.get_logger()

Seen = tuple[Record, list[Diagnosis], MachineState]


def learn(client: Client, settings: Settings, seen: Iterable[Seen]) -> None:
    """Note each record that may teach its machine's baseline; learn where there are enough."""
    for record, diagnoses, machine in seen:
        if machine.motor is None or machine.baseline is not None:
            continue
        key = keys.machine(record.machine_id)
        if record.closed or _finding(diagnoses, machine):
            client.hdel(key, "learning")
            continue
        noted = _followed_by(json.loads(client.hget(key, "learning") or "[]"), record)
        client.hset(key, "learning", json.dumps(noted))
        if sum(r["t_end"] - r["t_start"] for r in noted) >= settings.baseline_s:
            _learn(client, machine, [Record(**r) for r in noted])


def _learn(client: Client, machine: MachineState, records: list[Record]) -> None:
    machine_id = records[0].machine_id
    recordings = [x for x in fetch(client, keys.RAW, records) if x is not None]
    if len(recordings) < len(records):
        log.warning("windows were trimmed before their baseline was learnt", machine_id=machine_id)
        client.hdel(keys.machine(machine_id), "learning")
        return
    baseline = learn_baseline(recordings, machine.motor)
    set_baseline(client, machine_id, baseline.to_json(), source="stream")
    log.info("baseline learnt", machine_id=machine_id, seconds=baseline.seconds)


def _finding(diagnoses: Iterable[Diagnosis], machine: MachineState) -> bool:
    entries = [e for e in machine.memory.values() if isinstance(e, dict)]
    return any(d.state in ("warning", "fault") for d in diagnoses) or any(
        e.get("level") or e.get("last") in ("warning", "fault") for e in entries
    )


def _followed_by(noted: list[dict[str, Any]], record: Record) -> list[dict[str, Any]]:
    """Return the records noted with one more; without the earlier ones where it does not follow."""
    last = noted[-1] if noted else None
    follows = last and (last["run"], last["last_seq"]) == (record.run, record.first_seq - 1)
    this: dict[str, Any] = {f: getattr(record, f) for f in Record.__slots__}
    return [*noted, this] if follows else [this]
