"""Alerts of machines and of the system: what is open now, and the events of `system_alerts`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from vtox import keys
from vtox.domain import ReasonValue
from vtox.faults import FAULTS
from vtox.health.alerts import Alert
from vtox.health.update import MachineHistory
from vtox.sentences.rendering import render
from vtox.store import outputs
from vtox.store.client import Client
from vtox.store.entries import decode_alert, loads, reason_from_json
from vtox.store.flags import FLAGS
from vtox.store.histories import history_from_json, may_have_alert


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlert:
    """An alert that was raised and not cleared.

    `t` is when it began (s), as its id says; the reason of a fault is that of its last record. An
    alarm of the system has no machine, its `fault` is the name of the condition; `values` are those
    of its code.
    """

    id: str
    machine_id: str
    fault: str
    level: Literal["warning", "fault"]
    t: float
    code: str
    reason: str
    values: Mapping[str, ReasonValue] = field(default_factory=dict)


def open_alerts(client: Client) -> list[OpenAlert]:
    """Return the alerts that are open now, the latest first."""
    machine_ids = [m.decode() for m in client.zrange(keys.MACHINES, 0, -1)]
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.hmget(keys.machine(m), "memory", *FLAGS)
    pipe.hgetall(keys.ALARMS)
    *machines, alarms = pipe.execute()
    found = open_alarms(alarms)
    for m, (memory, *flags) in zip(machine_ids, machines, strict=True):
        if memory and may_have_alert(memory):
            found += _of_faults(m, history_from_json(memory))
        for (flag, code), alert_id in zip(FLAGS.items(), flags, strict=True):
            if alert_id:
                found.append(_open(alert_id.decode(), m, flag, "warning", code, render(code, {})))
    return sorted(found, key=lambda a: alert_sort_key(a.id))


def open_alarms(conditions: Mapping[bytes, bytes]) -> list[OpenAlert]:
    """Return the alarms of the system that are open, from the hash of its conditions."""
    alarms = []
    for name, text in conditions.items():
        kept = loads(text)
        if alert_id := kept.get("id"):
            why = reason_from_json(kept["code"], kept["values"])
            alarm = _open(alert_id, "", name.decode(), kept["level"], why.code, why.sentence)
            alarms.append(replace(alarm, values=why.values))
    return sorted(alarms, key=lambda a: alert_sort_key(a.id))


def events_after(client: Client, last_id: str) -> tuple[list[Alert], str]:
    """Return the events written after an entry, and the id of the last of them."""
    entries, last_id = outputs.after(client, keys.ALERTS, last_id)
    return [decode_alert(fields) for _, fields in entries], last_id


def alert_sort_key(alert_id: str) -> tuple[int, str]:
    """Return what sorts the ids of alerts (machine:fault:ms), the latest first.

    Raises
    ------
    ValueError
        It is no such id.
    """
    return -int(alert_id.rpartition(":")[2]), alert_id


def _of_faults(machine_id: str, history: MachineHistory) -> list[OpenAlert]:
    return [
        _open(h.alert_id, machine_id, fault, h.slots.level, h.last_code, h.last_reason)
        for fault in FAULTS
        if (h := history.faults.get(fault)) and h.alert_id and h.slots.level
    ]


def _open(
    alert_id: str,
    machine_id: str,
    fault: str,
    level: Literal["warning", "fault"],
    code: str,
    reason: str,
) -> OpenAlert:
    return OpenAlert(
        id=alert_id,
        machine_id=machine_id,
        fault=fault,
        level=level,
        t=-alert_sort_key(alert_id)[0] / 1000,
        code=code,
        reason=reason,
    )
