"""Alerts of machines and of the system: what is open now, and the events of `system_alerts`."""

from collections.abc import Mapping, Sequence
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
    listed = client.smembers(keys.OPEN_ALERTS)
    if keys.ALL_LISTED.encode() in listed:
        machine_ids = sorted({m.decode().rpartition("|")[0] for m in listed} - {""})
    else:
        machine_ids = [m.decode() for m in client.zrange(keys.MACHINES, 0, -1)]
    found = open_alarms(client.hgetall(keys.ALARMS)) + _of_machines(client, machine_ids)
    return sorted(found, key=lambda a: alert_sort_key(a.id))


class OpenAlerts:
    """The alerts that are open, read anew when one is raised, escalated or cleared."""

    def __init__(self) -> None:
        self._newest: bytes | None = None
        self._alerts: list[OpenAlert] = []

    def read(self, client: Client) -> list[OpenAlert]:
        """Return them, the latest first, some with a reason that is no longer the last one."""
        pipe = client.pipeline(transaction=True)
        pipe.sismember(keys.OPEN_ALERTS, keys.ALL_LISTED)
        pipe.xrevrange(keys.ALERTS, count=1)
        listed, newest = pipe.execute()
        known = newest[0][0] if listed and newest else None
        if known is None or known != self._newest:
            self._alerts = open_alerts(client)
            self._newest = known
        return self._alerts

    def with_last_reasons(self, client: Client, some: Sequence[OpenAlert]) -> list[OpenAlert]:
        """Return some of them, each as it is now."""
        machine_ids = sorted({a.machine_id for a in some if a.fault in FAULTS})
        now = open_alarms(client.hgetall(keys.ALARMS)) + _of_machines(client, machine_ids)
        by_id = {a.id: a for a in now}
        return [by_id.get(a.id, a) for a in some]


def list_open_alerts(client: Client) -> None:
    """List the open alerts of all machines: an earlier version raised some without listing them."""
    machine_ids = [m.decode() for m in client.zrange(keys.MACHINES, 0, -1)]
    members = (f"{a.machine_id}|{a.fault}" for a in _of_machines(client, machine_ids))
    client.sadd(keys.OPEN_ALERTS, keys.ALL_LISTED, *members)


def _of_machines(client: Client, machine_ids: Sequence[str]) -> list[OpenAlert]:
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.hmget(keys.machine(m), "memory", *FLAGS)
    found = []
    for m, (memory, *flags) in zip(machine_ids, pipe.execute(), strict=True):
        if memory and may_have_alert(memory):
            found += _of_faults(m, history_from_json(memory))
        for (flag, code), alert_id in zip(FLAGS.items(), flags, strict=True):
            if alert_id:
                found.append(_open(alert_id.decode(), m, flag, "warning", code, render(code, {})))
    return found


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
        replace(
            _open(h.alert_id, machine_id, fault, h.slots.level, h.last_code, h.last_reason),
            values=dict(h.last_values),
        )
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
