"""The stream of scalars: readings go in one by one, and leave it once the history has them."""

from collections.abc import Iterable, Mapping

from vtox.motor.values import codec
from vtox.motor.values.domain import Reason
from vtox.motor.values.scalars import ScalarReading
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client

# Field of a machine: why its last record gave no vibration velocity.
_NO_VELOCITY = "no_velocity"


def add_readings(client: Client, readings: Iterable[ScalarReading]) -> list[str]:
    """Add readings in one transaction; return the ids of their entries."""
    pipe = client.pipeline(transaction=True)
    for r in readings:
        fields = {"machine_id": r.machine_id, "t": repr(r.t), "name": r.name}
        pipe.xadd(keys.SCALARS, fields | {"value": repr(r.value), "unit": r.unit})
    return [i.decode() for i in pipe.execute()]


def acknowledge(client: Client, entry_id: str) -> None:
    """Delete the entries up to one: they are stored."""
    ms, _, seq = entry_id.partition("-")
    client.xtrim(keys.SCALARS, minid=f"{ms}-{int(seq) + 1}", approximate=False)


def note_no_velocity(client: Client, why: Mapping[str, Reason]) -> None:
    """Note why the last records of machines gave no vibration velocity."""
    pipe = client.pipeline(transaction=False)
    for machine_id, reason in why.items():
        pipe.hset(keys.machine(machine_id), _NO_VELOCITY, codec.encode(reason))
    pipe.execute()


def why_no_velocity(client: Client, machine_id: str) -> Reason | None:
    """Return why the last record that gave none gave no vibration velocity."""
    text = client.hget(keys.machine(machine_id), _NO_VELOCITY)
    return codec.decode_or_none(Reason, text) if text else None
