"""Alerts of machines and of the system: the open ones, and the events of `system_alerts`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Literal

from vtox.motor.alarms.health.alert_values import Alert, RaisedAlert, Verdict
from vtox.motor.alarms.health.update import MachineHistory
from vtox.motor.faults import FAULTS
from vtox.motor.values import codec
from vtox.motor.values.codec import loads
from vtox.motor.values.domain import Reason, reason
from vtox.motor.values.plain_names import names_of
from vtox.motor.values.scalars import FLAG
from vtox.motor.words.rendering import render
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.alarms.flags import FLAGS
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream import outputs
from vtox.pipeline.store.stream.unreadable import read_or_none

# After more events since the last look all open alerts are read again, as at the first look.
MOST_FOLLOWED = 1000
_LIMIT = f"{FLAG}:".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlert(RaisedAlert):
    """An alert that was raised and not cleared.

    The reason of a fault is that of the last record at its level, `latest` the verdict of a later
    one.
    """

    latest: Verdict | None = None


def open_alerts(client: Client) -> list[OpenAlert]:
    """Return the alerts that are open now, the latest first."""
    listed = client.smembers(keys.OPEN_ALERTS)
    machine_ids = sorted(set(names_of(m.rpartition(b"|")[0] for m in listed)))
    found = open_alarms(client.hgetall(keys.ALARMS)) + _of_machines(client, machine_ids)
    return sorted(found, key=lambda a: alert_sort_key(a.id))


class OpenAlerts:
    """The alerts that are open: raised, escalated or cleared ones are read again."""

    def __init__(self) -> None:
        self._newest: str | None = None
        self._alerts: list[OpenAlert] = []
        self._lock = Lock()

    def read(self, client: Client) -> list[OpenAlert]:
        """Return them, the latest first, some with a reason that is no longer the last one."""
        with self._lock:
            self._read(client)
            return self._alerts

    def _read(self, client: Client) -> None:
        pipe = client.pipeline(transaction=True)
        pipe.xrevrange(keys.ALERTS, count=1)
        pipe.xrange(keys.ALERTS, count=1)
        newest, oldest = pipe.execute()
        now = newest[0][0].decode() if newest else None
        known = self._newest
        if now is None or known is None or not _is_ordered(oldest[0][0].decode(), known, now):
            self._alerts = open_alerts(client)
        elif now != known:
            self._follow(client, known)
        self._newest = now

    def _follow(self, client: Client, known: str) -> None:
        """Read the alerts again of the machines that had an event after the one known."""
        events, _ = events_after(client, known, count=MOST_FOLLOWED)
        if len(events) == MOST_FOLLOWED:
            self._alerts = open_alerts(client)
            return
        machine_ids = {e.machine_id for e in events}
        found = _of_machines(client, sorted(machine_ids - {""}))
        if "" in machine_ids:
            found += open_alarms(client.hgetall(keys.ALARMS))
        others = [a for a in self._alerts if a.machine_id not in machine_ids]
        self._alerts = sorted(others + found, key=lambda a: alert_sort_key(a.id))

    def with_last_reasons(self, client: Client, some: Sequence[OpenAlert]) -> list[OpenAlert]:
        """Return some of them, each as it is now."""
        machine_ids = sorted({a.machine_id for a in some if a.fault in FAULTS})
        now = open_alarms(client.hgetall(keys.ALARMS)) + _of_machines(client, machine_ids)
        by_id = {a.id: a for a in now}
        return [by_id.get(a.id, a) for a in some]


def list_open_alerts(client: Client) -> None:
    """List the open alerts of all machines: a restored server has no list."""
    machine_ids = names_of(client.zrange(keys.MACHINES, 0, -1))
    if members := [f"{a.machine_id}|{a.fault}" for a in _of_machines(client, machine_ids)]:
        client.sadd(keys.OPEN_ALERTS, *members)


def _of_machines(client: Client, machine_ids: Sequence[str]) -> list[OpenAlert]:
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.hmget(keys.machine(m), "memory", *FLAGS)
        pipe.hkeys(keys.machine(m))
    replies = pipe.execute()
    found: list[OpenAlert | None] = []
    limits: list[tuple[str, str]] = []
    for m, (memory, *flags), fields in zip(machine_ids, replies[::2], replies[1::2], strict=True):
        limits += [(m, f.decode("utf-8", "replace")) for f in fields if f.startswith(_LIMIT)]
        if memory and may_have_alert(memory):
            history = codec.decode_or_none(MachineHistory, memory)
            found += _fault_alerts(m, history) if history else []
        for (flag, code), alert_id in zip(FLAGS.items(), flags, strict=True):
            if alert_id:
                found.append(read_or_none(_flag_alert, m, flag, code, alert_id))
    return [a for a in found if a] + (_limit_alerts(client, limits) if limits else [])


def _limit_alerts(client: Client, flags: Sequence[tuple[str, str]]) -> list[OpenAlert]:
    pipe = client.pipeline(transaction=False)
    for m, flag in flags:
        pipe.hget(keys.machine(m), flag)
    found = []
    for (m, flag), alert_id in zip(flags, pipe.execute(), strict=True):
        found.append(read_or_none(_limit_alert, m, flag, alert_id) if alert_id else None)
    return [a for a in found if a]


def _flag_alert(machine_id: str, flag: str, code: str, alert_id: bytes) -> OpenAlert:
    return _open(alert_id.decode(), machine_id, flag, "warning", code, render(code, {}))


def _limit_alert(machine_id: str, flag: str, alert_id: bytes) -> OpenAlert:
    _, scalar, level = flag.split(":")
    why = reason("limit_crossed", scalar=scalar)
    reached: Literal["warning", "fault"] = "fault" if level == "fault" else "warning"
    alert = _open(alert_id.decode(), machine_id, flag, reached, why.code, why.sentence)
    return replace(alert, values=why.values)


def may_have_alert(memory: bytes) -> bool:
    """Whether a stored history may hold an open alert, without decoding it: most hold none."""
    return memory.count(b'"alert":') != memory.count(b'"alert":""')


def _is_ordered(first: str, middle: str, last: str) -> bool:
    """Return whether three ids of entries are in this order."""
    order = outputs.entry_order
    return order(first) <= order(middle) <= order(last)


def open_alarms(conditions: Mapping[bytes, bytes]) -> list[OpenAlert]:
    """Return the alarms of the system that are open, from the hash of its conditions."""
    found = (read_or_none(_condition_alarm, name, text) for name, text in conditions.items())
    return sorted((a for a in found if a), key=lambda a: alert_sort_key(a.id))


def _condition_alarm(name: bytes, text: bytes) -> OpenAlert | None:
    kept = loads(text)
    if not kept.get("id"):
        return None
    values = codec.json_of_field(kept["values"].encode())
    why = codec.from_plain(Reason, kept | {"values": values})
    alarm = _open(kept["id"], "", name.decode(), kept["level"], why.code, why.sentence)
    return replace(alarm, values=why.values)


def events_after(
    client: Client, last_id: str, *, count: int | None = None
) -> tuple[list[Alert], str]:
    """Return the events after an entry, all or the first `count`, and the id of the last one."""
    entries, last_id = outputs.after(client, keys.ALERTS, last_id, count=count)
    found = (read_or_none(codec.decode_fields, Alert, fields) for _, fields in entries)
    return [alert for alert in found if alert], last_id


def alert_sort_key(alert_id: str) -> tuple[int, str]:
    """Return the sort key for ids of alerts (machine:fault:ms), the latest first.

    Raises `ValueError`: it is no such id.
    """
    return -int(alert_id.rpartition(":")[2]), alert_id


def _fault_alerts(machine_id: str, history: MachineHistory) -> list[OpenAlert]:
    found = []
    for fault in FAULTS:
        h = history.faults.get(fault)
        if h and h.alert and h.level:
            why = h.held or h.latest
            about = (machine_id, fault, h.level, why.code, why.reason)
            alert = read_or_none(_open, h.alert, *about)
            if alert is None:
                continue
            latest = None if why.t == h.last_t else h.latest
            values = dict(why.values)
            found.append(replace(alert, values=values, doubts=why.doubts, latest=latest))
    return found


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
