"""The use of the server's memory by windows and machines, as the server measures it."""

from collections.abc import Sequence

from vtox.motor.values.plain_names import names_of
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client


def last_senders(client: Client, most: int) -> list[str]:
    """Return the machines whose last windows are the newest."""
    return names_of(client.zrange(keys.MACHINES, 0, most - 1, desc=True))


def mean_state_bytes(client: Client, machine_ids: Sequence[str]) -> float | None:
    """Return the bytes kept of a machine besides its windows; None for none, or if denied."""
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.memory_usage(keys.machine(m), samples=0)
        pipe.memory_usage(keys.known_windows(m), samples=0)
    sizes = [s for s in pipe.execute(raise_on_error=False) if isinstance(s, int)]
    return sum(sizes) / len(machine_ids) if sizes else None
