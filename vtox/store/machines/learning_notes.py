"""The records that may teach a machine its baseline: field `learning` of the machine, a JSON list.

An entry is a record with the load that it showed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from vtox import keys
from vtox.store.ledger.ledger_rows import record_from_table, record_json
from vtox.store.server.client import Client
from vtox.values.domain import Record

FIELD = "learning"


@dataclass(frozen=True, slots=True)
class LearningNote:
    """A healthy record, and its load in A rms (None: not measured)."""

    record: Record
    load_a: float | None


def decode(text: bytes | None) -> list[LearningNote]:
    """Return the notes that the field of a machine holds, oldest first; none if damaged."""
    try:
        return [_note(t) for t in orjson.loads(text)] if text else []
    except (ValueError, TypeError, AttributeError):  # of another version: they are made anew
        return []


def _note(table: dict[str, Any]) -> LearningNote:
    load_a = table.pop("load_a", None)
    return LearningNote(record_from_table(table), load_a)


def read(client: Client, machine_id: str) -> list[LearningNote]:
    """Return the notes of a machine, oldest first."""
    return decode(client.hget(keys.machine(machine_id), FIELD))


def write(client: Client, machine_id: str, notes: Sequence[LearningNote]) -> None:
    """Replace the notes of a machine."""
    tables = [orjson.loads(record_json(n.record)) | {"load_a": n.load_a} for n in notes]
    client.hset(keys.machine(machine_id), FIELD, orjson.dumps(tables))


def delete(client: Client, machine_ids: Iterable[str]) -> None:
    """Forget the notes of machines."""
    with client.pipeline(transaction=False) as pipe:
        for machine_id in machine_ids:
            pipe.hdel(keys.machine(machine_id), FIELD)
        pipe.execute()
