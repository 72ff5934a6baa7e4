"""Decides which readings have room: machine and name are known, or there is room for new ones."""

from collections.abc import Mapping, Sequence

from vtox.motor.values.scalars import MOST_OF_MACHINE, ScalarReading
from vtox.motor.values.vibration_zones import VELOCITIES
from vtox.pipeline.configuration import keys
from vtox.pipeline.errors import TooManyMachines, TooManyScalars
from vtox.pipeline.store.machines.machines import list_senders
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.scalars import add_readings

# The recorder renews the names of full machines every ten minutes. Without it they are known for
# some time, and of a machine that is no longer full not for long.
_FULL_LIFE_S = 3600
_AT_ONCE = 1000


def admit_readings(
    client: Client, readings: Sequence[ScalarReading], max_machines: int, *, others: bool = False
) -> list[str]:
    """Add readings, some in each transaction; return the ids of their entries.

    Raises `TooManyMachines`, `TooManyScalars`: a machine or name is new and has no room. Nothing is
    added then; with `others`, the readings that have room are.
    """
    refused = _refused_readings(client, readings, max_machines)
    ids: list[str] = []
    if others or not refused:
        added = [r for r in readings if r not in refused]
        for start in range(0, len(added), _AT_ONCE):
            ids += add_readings(client, added[start : start + _AT_ONCE])
    for error in refused.values():
        raise error
    return ids


def _refused_readings(
    client: Client, readings: Sequence[ScalarReading], max_machines: int
) -> dict[ScalarReading, TooManyMachines | TooManyScalars]:
    """List the machines of readings; return those whose machine or name is new and has no room.

    A name is known to have none once the history has as many as a machine may have. Names that come
    beyond before that, within a pass of the recorder, are refused by the recorder.
    """
    ids = list(dict.fromkeys(r.machine_id for r in readings))
    strangers = set(list_senders(client, ids, limit=max_machines))
    pipe = client.pipeline(transaction=False)
    for r in readings:
        pipe.exists(keys.full_scalars(r.machine_id))
        pipe.sismember(keys.full_scalars(r.machine_id), r.quantity)
    replies = iter(pipe.execute())
    refused: dict[ScalarReading, TooManyMachines | TooManyScalars] = {}
    sent: dict[str, set[str]] = {m: set() for m in ids}
    for r, is_full, is_known in zip(readings, replies, replies, strict=True):
        sent[r.machine_id].add(r.quantity)
        too_many = not is_known if is_full else len(sent[r.machine_id]) > MOST_OF_MACHINE
        if r.machine_id in strangers:
            refused[r] = TooManyMachines(max_machines)
        elif too_many and r.name not in VELOCITIES:
            refused[r] = TooManyScalars(r.machine_id, r.name, r.unit, MOST_OF_MACHINE)
    return refused


def keep_full(client: Client, names: Mapping[str, Sequence[str]]) -> None:
    """Keep the names, as quantities, of the machines that may get no more of them, for a time."""
    pipe = client.pipeline(transaction=True)
    for machine_id, quantities in names.items():
        key = keys.full_scalars(machine_id)
        pipe.delete(key)
        for start in range(0, len(quantities), _AT_ONCE):
            pipe.sadd(key, *quantities[start : start + _AT_ONCE])
        pipe.expire(key, _FULL_LIFE_S)
    pipe.execute()
