"""Conditions of a machine that are not faults (silent, wrong clock): each one alert per episode."""

from collections.abc import Iterable

from vtox import keys
from vtox.domain import Reason, reason
from vtox.sentences.rendering import render_all
from vtox.store import scripts
from vtox.store.client import Client, server_time
from vtox.store.entries import json_bytes

# Flag -> code of its alert while it is set.
FLAGS = {"silent": "machine_silent", "clock": "clock_off"}
# Field of a machine: when its sender left, s by the server's clock.
DEPARTED = "departed"


def set_flag(client: Client, machine_id: str, flag: str, on: bool, *reasons: Reason) -> bool:
    """Set or clear a flag of `FLAGS`; each change is an alert that says why. True on a change.

    The first of `reasons` gives the code. Nothing changes of a machine that is not listed. The
    script gives the alert its id and its time, both by the server's clock.
    """
    fields = {
        "machine_id": machine_id,
        "fault": flag,
        "level": "warning",
        "event": "raised" if on else "cleared",
        "code": reasons[0].code,
        "reason": render_all((r.code, r.values) for r in reasons),
        "values": json_bytes({name: value for r in reasons for name, value in r.values.items()}),
    }
    where = [keys.machine(machine_id), keys.ALERTS, keys.MACHINES, keys.OPEN_ALERTS]
    args = [machine_id, flag, int(on), *(text for field in fields.items() for text in field)]
    return bool(client.register_script(scripts.source("set_flag"))(keys=where, args=args))


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
    return [float(t or 0.0) for t in pipe.execute()]


def flag_states(client: Client, machine_ids: Iterable[str], flag: str) -> list[bool]:
    """Return for each machine whether a flag is set, by the list of open alerts."""
    members = [f"{m}|{flag}" for m in machine_ids]
    return [bool(n) for n in client.smismember(keys.OPEN_ALERTS, members)] if members else []
