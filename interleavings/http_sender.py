"""A sender by HTTP: what the routes of the API do with its requests, without the socket."""

from types import SimpleNamespace
from typing import Any, cast

import orjson
import redis
from fastapi import Response

from api.http.errors import Problem
from api.routes.windows import charge_quotas, post_window
from api.state.backend import Backend
from interleavings import virtual
from interleavings.processes import CHANNELS, RESTS_S, Parts
from interleavings.scheduler import Process
from interleavings.truth import Name
from interleavings.workload import FS_HZ, WINDOW_S, WRONG, WRONG_S, Step
from vtox.errors import VtoxError
from vtox.store.server.partition_table import Addresses

_BODY = {"fs_hz": FS_HZ, "channels": {c: x.tolist() for c, x in CHANNELS.items()}}


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
            _post(backend, *name)
        except (VtoxError, Problem, redis.RedisError):  # 429 or 503, `Retry-After`
            process.sleep(RESTS_S)
            continue
        parts.truth.acknowledged.add(name)
        process.done += 1
    parts.finished_senders.add(process.name)


def _post(backend: Backend, machine_id: str, run: str, seq: int) -> None:
    t0 = virtual.BEGIN_S + seq * WINDOW_S - (WRONG_S if machine_id == WRONG else 0.0)
    body: dict[str, Any] = _BODY | {"seq": seq, "t0": t0, "run": run}
    request = cast(Any, SimpleNamespace(state=SimpleNamespace()))
    charge_quotas(request, machine_id, cast(Any, orjson.dumps(body)), backend)
    post_window(machine_id, body, backend, Response())
