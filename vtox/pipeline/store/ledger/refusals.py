"""Entries that no family will see: dead letters or duplicates, one script for each read.

A sender that is refused again and again must not push the dead letters of others out of their
stream. Beyond its budget it gets one letter a minute for each reason, which says how many windows
it is about.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.scripts import fenced, source
from vtox.pipeline.windows.partitions import FIRST, Partition

# A sender may fill this share of the bound on dead letters, in this time.
BUDGET_SHARE, PERIOD_MS = 1 / 64, 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An entry to be refused; of a duplicate only the code matters."""

    entry_id: str
    code: str
    reason: str = ""
    machine_id: str = ""
    seq: str = ""


def refuse(
    client: Client,
    token: str,
    settings: Settings,
    refusals: Iterable[Refusal],
    partition: Partition = FIRST,
) -> None:
    """Finish entries that no family will see: malformed, over a limit, or code `duplicate`.

    Raises `LeaseLost`: `token` no longer holds the lease.
    """
    budget = int(BUDGET_SHARE * settings.keep.dead_letters.nbytes)
    args = [token, keys.GROUP, 2 * settings.max_window_bytes, budget, PERIOD_MS]
    first = len(args)
    for r in refusals:
        args += [r.entry_id, r.code, r.reason, r.machine_id, r.seq]
    if len(args) == first:
        return
    where = [
        partition.lease,
        partition.raw,
        keys.COUNTERS,
        keys.DEAD_LETTERS,
        partition.progress,
    ]
    script = client.register_script(source("refuse", shared=True))
    with fenced():
        script(keys=[*where, keys.MACHINES, keys.REFUSALS], args=args)


def summarise(client: Client) -> int:
    """Write the letters of many windows each; return how many."""
    script = client.register_script(source("summarise_refusals", shared=True))
    return int(script(keys=[keys.REFUSALS, keys.DEAD_LETTERS], args=[PERIOD_MS]))
