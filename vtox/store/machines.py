"""Machines as they are kept on the server: nameplate, baseline, latest diagnoses, health."""

import json
import time
from collections.abc import Iterable, Sequence
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

log = structlog.get_logger()


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
    """Forget a machine; False where it was not known. If it sends again, it is new."""
    with client.pipeline() as pipe:
        pipe.zrem(keys.MACHINES, machine_id)
        pipe.delete(keys.machine(machine_id), keys.seen(machine_id))
        removed, _ = pipe.execute()
    return bool(removed)


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
