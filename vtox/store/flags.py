"""Conditions of a machine that are not faults (silent, wrong clock): each one alert per episode."""

import time
from collections.abc import Iterable

from vtox import keys
from vtox.domain import Reason
from vtox.health.alerts import Alert
from vtox.sentences.rendering import render_all
from vtox.store import scripts
from vtox.store.client import Client
from vtox.store.entries import encode_alert

# Flag -> code of its alert while it is set.
FLAGS = {"silent": "machine_silent", "clock": "clock_off"}


def set_flag(client: Client, machine_id: str, flag: str, on: bool, *reasons: Reason) -> bool:
    """Set or clear a flag of `FLAGS`; each change is an alert that says why. True on a change.

    The first of `reasons` gives the code. Nothing changes of a machine that is not listed.
    """
    t = time.time()
    alert = Alert(
        id=f"{machine_id}:{flag}:{round(t * 1000)}",
        machine_id=machine_id,
        fault=flag,
        level="warning",
        event="raised" if on else "cleared",
        t=round(t, 3),
        code=reasons[0].code,
        reason=render_all((r.code, r.values) for r in reasons),
    )
    where = [keys.machine(machine_id), keys.ALERTS, keys.MACHINES]
    # The script puts the id first: that of an alert which is cleared stands in the machine.
    args = [machine_id, flag, int(on), alert.id, *encode_alert(alert)[2:]]
    return bool(client.register_script(scripts.source("set_flag"))(keys=where, args=args))


def flag_states(client: Client, machine_ids: Iterable[str], flag: str) -> list[bool]:
    """Return for each machine whether a flag is set."""
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.hexists(keys.machine(m), flag)
    return [bool(n) for n in pipe.execute()]
