"""A sender by HTTP: it calls the routes of the API directly, without the socket."""

from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import orjson
import redis
from fastapi import Response

from api.http.errors import Problem
from api.routes.windows import charge_quotas, post_window
from api.state.backend import Backend
from faults.interleavings.processes import RESTS_S, Parts, sampled, starts_s
from faults.interleavings.scheduler import Process
from faults.interleavings.truth import Name
from faults.interleavings.workload import Step
from vtox.motor.errors import VtoxError
from vtox.pipeline.store.server.partition_table import Addresses


@cache
def _samples(machine_id: str, seq: int, window_s: float) -> dict[str, Any]:
    fs_hz, channels = sampled(machine_id, seq, window_s)
    return {"fs_hz": fs_hz, "channels": {c: x.tolist() for c, x in channels.items()}}


def http_sender(parts: Parts, steps: list[Step], process: Process) -> None:
    """Send windows one by one until each has its 202; after a death from the first without."""
    backend = Backend(parts.settings)
    server = backend.server
    server._client = parts.connected(process, "api", patient=False)
    server._url, server._addresses = parts.settings.working_url(), Addresses(server._client)
    sent: list[tuple[float, Name]] = [
        (step.pause_s if n == 0 else 0.0, (step.machine_id, f"r{process.name}", seq))
        for step in steps
        for n, seq in enumerate(step.seqs)
    ]
    while process.done < len(sent):
        pause_s, name = sent[process.done]
        process.sleep(pause_s)
        parts.truth.sent.add(name)
        try:
            _post(backend, parts.work.window_s, *name)
        except (VtoxError, Problem, redis.RedisError):  # 429 or 503, `Retry-After`
            process.sleep(RESTS_S)
            continue
        parts.truth.acknowledged.add(name)
        process.done += 1
    parts.finished_senders.add(process.name)


def _post(backend: Backend, window_s: float, machine_id: str, run: str, seq: int) -> None:
    t0 = starts_s(machine_id, seq, window_s)
    body = _samples(machine_id, seq, window_s) | {"seq": seq, "t0": t0, "run": run}
    request = cast(Any, SimpleNamespace(state=SimpleNamespace()))
    charge_quotas(request, machine_id, cast(Any, orjson.dumps(body)), backend)
    post_window(machine_id, body, backend, Response())
