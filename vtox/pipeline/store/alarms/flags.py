"""Conditions of a machine that are not faults (silent, wrong clock): each one alert per episode."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vtox.motor.alarms.profile.values import PROFILE_CODES
from vtox.motor.values import codec
from vtox.motor.values.domain import Reason, reason
from vtox.motor.words.rendering import render_all
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server import scripts
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream.entries import number

# Flag -> code of its alert while it is set.
# Alarms of limits are flags too, with their own names: `vtox.motor.values.scalars.limit_flag`.
FLAGS = {"silent": "machine_silent", "clock": "clock_off"} | dict(PROFILE_CODES)
# Field of a machine: when its sender left, s by the server's clock.
DEPARTED = "departed"
# Flags in one round trip: they take the server 3 ms.
AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class FlagChange:
    """A flag of a machine that is to be set or cleared, and why."""

    machine_id: str
    on: bool
    reasons: tuple[Reason, ...]
    level: str = "warning"


def set_flag(client: Client, machine_id: str, flag: str, on: bool, *reasons: Reason) -> bool:
    """Set or clear a flag of one machine, as `set_flags`. True on a change."""
    return bool(set_flags(client, flag, [FlagChange(machine_id, on, reasons)]))


def set_flags(client: Client, flag: str, changes: Sequence[FlagChange]) -> int:
    """Set or clear a flag of `FLAGS`; each change is an alert that says why. Returns how many.

    The first of the reasons gives the code, the others are in the place of doubts. Nothing changes
    of a machine that is not listed. The script gives the alert its id and its time, both by the
    server's clock.
    """
    script = client.register_script(scripts.source("set_flag"))
    changed = 0
    for first in range(0, len(changes), AT_ONCE):
        pipe = client.pipeline(transaction=False)
        for c in changes[first : first + AT_ONCE]:
            where = [keys.machine(c.machine_id), keys.ALERTS, keys.MACHINES, keys.OPEN_ALERTS]
            script(keys=where, args=_arguments(flag, c), client=pipe)
        changed += sum(pipe.execute())
    return changed


def _arguments(flag: str, change: FlagChange) -> list[str | bytes | int]:
    why, *others = change.reasons
    fields: dict[str, str | bytes] = {
        "machine_id": change.machine_id,
        "fault": flag,
        "level": change.level,
        "event": "raised" if change.on else "cleared",
        "code": why.code,
        "reason": render_all((r.code, r.values) for r in change.reasons),
        "values": codec.encode(why.values),
        "doubts": codec.encode(others),
    }
    head = (change.machine_id, flag, int(change.on))
    return [*head, *(text for field in fields.items() for text in field)]


def note_departure(client: Client, machine_id: str) -> None:
    """Raise the alert `silent` of a machine whose sender has left; its next window clears it."""
    if client.zscore(keys.MACHINES, machine_id) is not None:
        client.hset(keys.machine(machine_id), DEPARTED, server_time(client))
        set_flag(client, machine_id, "silent", True, reason("sender_departed"))


def departures(client: Client, machine_ids: Iterable[str]) -> list[float]:
    """Return for each machine when its sender left, s by the server's clock; 0 if it never did."""
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.hget(keys.machine(m), DEPARTED)
    return [number(t) or 0.0 for t in pipe.execute()]


def flag_states(client: Client, machine_ids: Iterable[str], flag: str) -> list[bool]:
    """Return for each machine whether a flag is set, by the list of open alerts."""
    return are_set(client, [(m, flag) for m in machine_ids])


def are_set(client: Client, flags: Sequence[tuple[str, str]]) -> list[bool]:
    """Return for each machine and flag whether it is set, by the list of open alerts."""
    members = [f"{m}|{flag}" for m, flag in flags]
    return [bool(n) for n in client.smismember(keys.OPEN_ALERTS, members)] if members else []
