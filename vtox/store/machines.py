"""Machines as they are kept on the server: nameplate, baseline, latest diagnoses, health."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
import structlog

from vtox import keys
from vtox.domain import Motor
from vtox.errors import NameplateError
from vtox.faults import FAULTS
from vtox.nameplate import motor_from_json, motor_to_json
from vtox.store.baselines import baseline_state
from vtox.store.client import Client
from vtox.store.flags import FLAGS
from vtox.store.overlimit import SHEBANG

log = structlog.get_logger()

# Open alerts stand in two places: those of faults in the memory (`vtox.health`), those of flags as
# fields of the machine (`vtox.store.flags`).
_RETIRE = """
local function clear(id, fault, level)
  redis.call('XADD', KEYS[4], '*', 'id', id, 'machine_id', ARGV[1], 'fault', fault,
    'level', level, 'event', 'cleared', 't', ARGV[2], 'reason', ARGV[3])
end
local memory = cjson.decode(redis.call('HGET', KEYS[2], 'memory') or '{}')
local flags = tonumber(ARGV[4])
for i = 5, #ARGV do
  local name = ARGV[i]
  if i < 5 + flags then
    local id = redis.call('HGET', KEYS[2], name)
    if id then clear(id, name, 'warning') end
  else
    local entry = memory[name]
    if entry and (entry.alert or '') ~= '' then clear(entry.alert, name, entry.level) end
  end
end
redis.call('DEL', KEYS[2], KEYS[3])
return redis.call('ZREM', KEYS[1], ARGV[1])
"""


@dataclass(frozen=True, slots=True)
class MachineState:
    """What a worker needs to know of a machine before it judges a record."""

    motor: Motor | None
    baseline: str | None
    memory: dict[str, Any]
    version: str


def register(client: Client, machine_id: str, motor: Motor) -> None:
    """Store the nameplate of a machine."""
    client.hset(keys.machine(machine_id), "motor", motor_to_json(motor))
    client.zadd(keys.MACHINES, {machine_id: 0}, nx=True)


def retire(client: Client, machine_id: str) -> bool:
    """Forget a machine and clear its open alerts; False where it was not known.

    If it sends again, it is new. One script: an alert that a worker raises meanwhile is either
    cleared here or not written, for the worker finds that the machine's version has changed.
    """
    where = [keys.MACHINES, keys.machine(machine_id), keys.seen(machine_id), keys.ALERTS]
    args = [machine_id, f"{time.time():.3f}", "machine retired", len(FLAGS), *FLAGS, *FAULTS]
    return bool(client.register_script(SHEBANG + _RETIRE)(keys=where, args=args))


def listed(client: Client, machine_id: str) -> bool:
    """Whether a machine is known: registered, or has sent, and was not retired since."""
    return client.zscore(keys.MACHINES, machine_id) is not None


def open_alerts(client: Client) -> list[dict[str, Any]]:
    """Return what is open now, the latest first: alert id, machine, fault, level, since, reason.

    `t` is when it began (s), as its id tells; the reason of a fault is that of its last record.
    """
    names = list(known(client))
    pipe = client.pipeline(transaction=False)
    for m in names:
        pipe.hmget(keys.machine(m), "memory", *FLAGS)
    found = []
    for m, (memory, *flags) in zip(names, pipe.execute(), strict=True):
        told = orjson.loads(memory) if memory else {}
        for fault in FAULTS:
            if (entry := told.get(fault)) and entry.get("alert"):
                found.append(_open(entry["alert"], m, fault, entry["level"], entry["reason"]))
        for flag, alert in zip(FLAGS, flags, strict=True):
            if alert:
                found.append(_open(alert.decode(), m, flag, "warning", FLAGS[flag]))
    return sorted(found, key=lambda a: place(a["id"]))


def place(alert: str) -> tuple[int, str]:
    """Return what puts the ids of alerts (machine:fault:ms) in order, the latest first.

    Raises
    ------
    ValueError
        It is no such id.
    """
    return -int(alert.rpartition(":")[2]), alert


def _open(alert: str, machine_id: str, fault: str, level: str, reason: str) -> dict[str, Any]:
    about = {"id": alert, "machine_id": machine_id, "fault": fault, "level": level}
    return about | {"t": -place(alert)[0] / 1000, "reason": reason}


def silent(seen: Mapping[str, Any], now: float, after_s: float) -> bool:
    """Return whether a machine of `overview` has sent before, but not in the last `after_s`."""
    arrived = seen["last_window_t"]
    return arrived is not None and now - arrived > after_s


def known(client: Client) -> dict[str, float]:
    """Return machine id -> arrival (s, server clock) of its last window; 0 for none yet."""
    return {m.decode(): t for m, t in client.zrange(keys.MACHINES, 0, -1, withscores=True)}


def states(client: Client, machine_ids: Sequence[str]) -> list[MachineState]:
    """Return the state of each machine, for the workers."""
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.hmget(keys.machine(m), "motor", "baseline", "memory", "version")
    return [
        MachineState(
            motor=_motor(motor) if motor else None,
            baseline=baseline.decode() if baseline else None,
            memory=orjson.loads(memory) if memory else {},
            version=version.decode() if version else "0",
        )
        for motor, baseline, memory, version in pipe.execute()
    ]


@lru_cache(maxsize=4096)
def _motor(text: bytes) -> Motor | None:
    """Return a nameplate kept; one that an earlier version let pass is as good as none."""
    try:
        return motor_from_json(text.decode())
    except NameplateError as error:
        log.warning("a nameplate kept is impossible and not used", reason=str(error))
        return None


def overview(client: Client, machine_ids: Iterable[str]) -> list[dict[str, Any]]:
    """Return per machine: nameplate, health, and the latest diagnosis of each fault."""
    ids = list(machine_ids)
    names = ["motor", "health", "vehicle_id", *(f"latest:{fault}" for fault in FAULTS)]
    pipe = client.pipeline(transaction=False)
    for m in ids:
        pipe.hmget(keys.machine(m), *names)
        pipe.hmget(keys.machine(m), "baseline_info", "learning")
        pipe.hexists(keys.machine(m), "baseline")
        pipe.zscore(keys.MACHINES, m)
    replies = pipe.execute()
    found, now = [], time.time()
    for i, m in enumerate(ids):
        (motor, health, vehicle, *latest), about, has_baseline, arrived = replies[4 * i : 4 * i + 4]
        if arrived is None:
            continue
        found.append(
            {
                "machine_id": m,
                "vehicle_id": vehicle.decode() if vehicle else None,
                "last_window_t": arrived or None,
                "nameplate": json.loads(motor) if motor else None,
                "baseline": bool(has_baseline),
                "baseline_state": baseline_state(about[0], about[1], bool(has_baseline), now),
                "health": json.loads(health) if health else None,
                "diagnoses": {
                    fault: json.loads(text)
                    for fault, text in zip(FAULTS, latest, strict=True)
                    if text
                },
            }
        )
    return found
