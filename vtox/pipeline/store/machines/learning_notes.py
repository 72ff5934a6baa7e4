"""The records that may teach a machine its baseline: field `learning` of the machine, a JSON list.

An entry is a record with the load that it showed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vtox.motor.values import codec
from vtox.motor.values.domain import Record
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client

FIELD = "learning"


@dataclass(frozen=True, slots=True)
class LearningNote:
    """A healthy record, and its load in A rms (None: not measured)."""

    record: Record
    load_a: float | None


def notes_of(text: bytes | None) -> list[LearningNote]:
    """Return the notes that the field of a machine holds, oldest first; none if damaged."""
    return list(codec.decode_or_none(tuple[LearningNote, ...], text) or ())


def read(client: Client, machine_id: str) -> list[LearningNote]:
    """Return the notes of a machine, oldest first."""
    return notes_of(client.hget(keys.machine(machine_id), FIELD))


def write(client: Client, machine_id: str, notes: Sequence[LearningNote]) -> None:
    """Replace the notes of a machine."""
    client.hset(keys.machine(machine_id), FIELD, codec.encode(notes))


def delete(client: Client, machine_ids: Iterable[str]) -> None:
    """Forget the notes of machines."""
    with client.pipeline(transaction=False) as pipe:
        for machine_id in machine_ids:
            pipe.hdel(keys.machine(machine_id), FIELD)
        pipe.execute()
