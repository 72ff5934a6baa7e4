"""Quotas of API keys and machines over HTTP, shared by all API processes (docs/adr/0015)."""

from collections.abc import Sequence
from dataclasses import dataclass

from vtox.pipeline.configuration import keys
from vtox.pipeline.errors import TooManyMachines
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.scripts import source

# So many seconds of each rate may come at once (docs/reference/limits.md).
BURST_S = 10.0


@dataclass(frozen=True, slots=True)
class Quota:
    """The limits of `name`: requests and bytes a second, 0 for no limit."""

    name: str
    requests_per_s: float
    bytes_per_s: float


def charge(
    client: Client,
    quotas: Sequence[Quota],
    machine_id: str,
    nbytes: int,
    *,
    max_machines: int,
) -> float:
    """Charge a window to all quotas and return 0, or return how long (s) its sender must wait.

    A quota may be exceeded by its allowance for `BURST_S`. One window of any size always passes
    when nothing came before.

    Raises `TooManyMachines`: the machine is new and there are `max_machines` others.
    """
    limited = [q for q in quotas if q.requests_per_s or q.bytes_per_s]
    args = [machine_id, max_machines, nbytes, BURST_S * 1000]
    for q in limited:
        args += [q.requests_per_s, q.bytes_per_s]
    script = client.register_script(source("charge", shared=True))
    wait_ms = int(script(keys=[keys.MACHINES, *(keys.quota(q.name) for q in limited)], args=args))
    if wait_ms < 0:
        raise TooManyMachines(max_machines)
    return wait_ms / 1000
