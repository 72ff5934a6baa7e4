"""Machines that were retired and whose history is to be deleted; the recorder does so."""

from collections.abc import Mapping

from vtox.motor.values.plain_names import names_of
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client, server_time_ms


def note_retirement(client: Client, machine_id: str) -> None:
    """Note that the data shown of a machine until now are to be deleted."""
    client.hset(keys.RETIRED, machine_id, server_time_ms(client))


def noted_retirements(client: Client) -> dict[str, int]:
    """Return machine id -> time (ms, server clock) until which its history is to be deleted."""
    noted = client.hgetall(keys.RETIRED).items()
    return {m: int(ms) for name, ms in noted for m in names_of([name]) if ms.isdigit()}


def remove_notes(client: Client, retired: Mapping[str, int]) -> None:
    """Remove the notes that were followed; one that was renewed meanwhile stays."""
    now = noted_retirements(client)
    if followed := [m for m, ms in retired.items() if now.get(m) == ms]:
        client.hdel(keys.RETIRED, *followed)
