"""The state that a backup takes from the server, key by key: read, counted, deleted, written back.

Only this module defines which keys hold state that cannot be made again, and which are in flight or
made again by a running system. A new key belongs to one of them: a test finds keys that are in
neither.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from vtox.motor.errors import SystemStateError
from vtox.motor.values.plain_names import names_of
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.alarms import open_alerts
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream import outputs

# Each listed machine with its whole hash: nameplate, baseline with version and source, its place
# learning, latest diagnoses and health. The hash also has the memory by which its alerts are raised
# and cleared.
MACHINES = ("MACHINES", "machine")
# Keys as hashes with their last use; machines whose history is still to be deleted; alarms.
HASHES = ("API_KEYS", "API_KEY_USES", "RETIRED", "ALARM_BOOK")
# Alerts and actions too: the recorder may not have read the last ones, and PostgreSQL is saved
# elsewhere.
STREAMS = ("EVIDENCE", "ALERTS", "ALARM_ACTIONS")
# Kept, and joined with those of the backup: no restore may erase the audit.
JOINED = ("AUDIT",)
# Made again from the machines that are restored.
DERIVED = ("OPEN_ALERTS", "FLEET", "FLEET_CHANGES", "ALARM_CHANGES")
IN_FLIGHT = {
    "RAW": "windows that wait or are retained for a minute",
    "RESULTS": "minutes of diagnoses; the history has them",
    "ASSESSMENTS": "minutes of assessments; the history has them",
    "METRICS": "figures of the last hours; the history has them",
    "SCALARS": "readings that the history has within seconds",
    "DEAD_LETTERS": "windows that could not be diagnosed, for some hours",
    "SETTINGS": "of the last start of each host",
    "RESTORING": "while a restore runs, or was interrupted",
    "REPLAY_SECRET": "signs raw entries, which are not kept; made again",
    "COUNTERS": "counts since the server was new",
    "LATENCY": "counts since the server was new",
    "UNREADABLE": "counts since the server was new",
    "PROGRESS": "of windows in flight",
    "LEASE": "of the bridge that runs",
    "BRIDGE": "of the bridge that runs",
    "PARTITIONS": "set by the bridges that run",
    "BRIDGES": "heartbeats",
    "BROKER": "of the bridge that runs",
    "WORKERS": "heartbeats",
    "worker": "heartbeats",
    "RECORDER": "heartbeat",
    "NOTIFIER": "heartbeat",
    "OPCUA": "heartbeat",
    "SCALING": "heartbeats",
    "ABSENT": "heartbeats",
    "REFUSALS": "what was refused lately",
    "MONITOR": "counts that the monitor compares",
    "ALARMS": "conditions of the system, observed again",
    "WATCH": "what the monitor observed last",
    "RETENTION_CLOCK": "of this server's entries",
    "EVIDENCE_RATE": "of the current second",
    "ledger": "records in flight",
    "due": "records in flight",
    "attempts": "records in flight",
    "known_windows": "duplicates of the last windows",
    "full_scalars": "expires; the recorder writes it from the history",
    "quota": "expires",
    "session": "expires; people sign in again",
}

_AT_ONCE = 20

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """A machine, a hash or an entry of a stream, with its id or name; `arrived_t` of a machine."""

    name: str
    fields: dict[str, bytes]
    arrived_t: float = 0.0


_T = TypeVar("_T")


def _key(name: str) -> str:
    return str(getattr(keys, name))


def machine_rows(client: Client) -> Iterator[Row]:
    """Yield each listed machine: id, arrival of its last window, and the fields of its hash."""
    ids = names_of(client.zrange(keys.MACHINES, 0, -1))
    for some in _portions(ids):
        pipe = client.pipeline(transaction=True)
        for m in some:
            pipe.zscore(keys.MACHINES, m)
            pipe.hgetall(keys.machine(m))
        replies = pipe.execute()
        for m, arrived_t, fields in zip(some, replies[::2], replies[1::2], strict=True):
            # None: retired meanwhile.
            if arrived_t is not None:
                yield {"machine_id": m, "arrived_t": arrived_t, "fields": _texts(fields)}


def hash_rows(client: Client) -> Iterator[Row]:
    """Yield the other hashes that are kept, each with its fields."""
    for name in HASHES:
        yield {"name": name, "fields": _texts(client.hgetall(_key(name)))}


def stream_rows(client: Client, name: str) -> Iterator[Row]:
    """Yield the entries of a stream that is kept, oldest first, their values in base64."""
    for entry_id, fields in outputs.oldest_first(client, _key(name), "-", read_at_once=_AT_ONCE):
        values = {n.decode(): base64.b64encode(v).decode() for n, v in fields.items()}
        yield {"id": entry_id.decode(), "fields": values}


def counts(client: Client) -> dict[str, int]:
    """Return the amount of state on the server that a restore would replace."""
    pipe = client.pipeline(transaction=False)
    pipe.zcard(keys.MACHINES)
    pipe.hlen(keys.API_KEYS)
    pipe.xlen(keys.EVIDENCE)
    machines, api_keys, evidence = pipe.execute()
    return {"machines": machines, "api_keys": api_keys, "evidence_windows": evidence}


def running_clients(client: Client) -> list[str]:
    """Return which processes that diagnose, record or serve are connected to the server."""
    roles = {f"vtox-{r}": r for r in ("bridge", "monitor", "worker", "recorder", "notifier", "api")}
    return sorted({roles[c["name"]] for c in client.client_list() if c["name"] in roles})


def begin_restore(client: Client, made: str) -> None:
    """Mark that a backup of the time `made` replaces the state of the server."""
    client.set(keys.RESTORING, made)


def end_restore(client: Client) -> None:
    """Remove the mark: all is there again."""
    client.delete(keys.RESTORING)


def require_whole(client: Client) -> None:
    """Refuse to work on the rest of an interrupted restore.

    Raises `SystemStateError`: the mark of a restore is there; the message says how to end it.
    """
    made = client.get(keys.RESTORING)
    if made is not None:
        raise SystemStateError(
            f"the restore of a backup of {made.decode()} was interrupted: a part is missing",
            remedy="repeat `vtox restore FILE --replace`",
        )


def clear(client: Client) -> None:
    """Delete the state that a restore replaces."""
    for some in _portions(names_of(client.zrange(keys.MACHINES, 0, -1))):
        own = [key for m in some for key in (keys.machine(m), keys.known_windows(m))]
        client.unlink(*own)
    # Up to where the history was recorded that is replaced: the recorder would say it is lost.
    client.unlink(keys.RECORDER)
    client.unlink(keys.MACHINES, *map(_key, (*DERIVED, *HASHES, *STREAMS)))


def put_machines(client: Client, machines: Iterable[Kept]) -> None:
    """Write machines, and list their open alerts."""
    for some in _portions(machines):
        pipe = client.pipeline(transaction=True)
        for m in some:
            if m.fields:
                pipe.hset(keys.machine(m.name), mapping=m.fields)
            pipe.zadd(keys.MACHINES, {m.name: m.arrived_t})
        pipe.execute()
    open_alerts.list_open_alerts(client)


def put_hashes(client: Client, hashes: Iterable[Kept]) -> None:
    """Write hashes; one that this version does not know is left out."""
    for h in hashes:
        if h.name in HASHES and h.fields:
            client.hset(_key(h.name), mapping=h.fields)


def put_stream(client: Client, name: str, entries: Iterable[Kept]) -> None:
    """Write entries with the ids they had."""
    for some in _portions(entries):
        pipe = client.pipeline(transaction=True)
        for entry in some:
            pipe.xadd(_key(name), entry.fields, id=entry.name)
        pipe.execute()


def join_stream(client: Client, name: str, entries: Iterable[Kept]) -> None:
    """Write entries among the existing ones, all or nothing."""
    every = {entry.name: entry.fields for entry in entries}
    every |= {i.decode(): dict(fields) for i, fields in client.xrange(_key(name))}
    pipe = client.pipeline(transaction=True)
    pipe.unlink(_key(name))
    for entry_id in sorted(every, key=outputs.entry_order):
        pipe.xadd(_key(name), every[entry_id], id=entry_id)
    pipe.execute()


def decode_row(row: Row) -> Kept:
    """Return the kept state of a row of `machine_rows`, `hash_rows` or `stream_rows`.

    Raises `ValueError`, `TypeError`, `KeyError`, `AttributeError`: it is no such row.
    """
    fields = row["fields"].items()
    if "id" in row:
        name = "{}-{}".format(*outputs.entry_order(row["id"]))
        return Kept(name, {n: base64.b64decode(v, validate=True) for n, v in fields})
    values = {n: v.encode("utf-8", "surrogateescape") for n, v in fields}
    if "machine_id" in row:
        return Kept(str(row["machine_id"]), values, float(row["arrived_t"]))
    return Kept(str(row["name"]), values)


def _portions(rows: Iterable[_T]) -> Iterator[Sequence[_T]]:
    left = iter(rows)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _texts(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    """Return fields as text; a byte that is no UTF-8 becomes an escape, and a byte again.

    All names of VTOX are ASCII: fields of another program under other names are left out.
    """
    ours = ((n, v) for n, v in fields.items() if n.isascii())
    return {n.decode(): v.decode("utf-8", "surrogateescape") for n, v in ours}
