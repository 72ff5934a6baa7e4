"""Conditions of a machine that are not faults (silent, wrong clock): each one alert per episode."""

from collections.abc import Iterable

from vtox import keys
from vtox.domain import Reason
from vtox.sentences.rendering import render_all
from vtox.store import scripts
from vtox.store.client import Client
from vtox.store.entries import json_bytes

# Flag -> code of its alert while it is set.
FLAGS = {"silent": "machine_silent", "clock": "clock_off"}


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


def flag_states(client: Client, machine_ids: Iterable[str], flag: str) -> list[bool]:
    """Return for each machine whether a flag is set."""
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.hexists(keys.machine(m), flag)
    return [bool(n) for n in pipe.execute()]
