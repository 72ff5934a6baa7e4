"""The scaler on a real server, which starts after it."""

import asyncio
import io
import socket
from pathlib import Path

import pytest
from rich.console import Console

from tests.waiting import eventually_async
from vtox.pipeline.cluster import scaler as module
from vtox.pipeline.cluster.cluster_log import ClusterLog
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.cluster.scaler import Scaler
from vtox.pipeline.cluster.supervisor import Supervisor
from vtox.pipeline.cluster.worker_allocation import ALL_QUEUES
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.server.client import connect


def test_the_scaler_works_once_the_first_server_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVERY_S", 0.02)
    settings = load(data_dir=tmp_path, cluster_workers="1-3")

    async def run(log: ClusterLog) -> None:
        supervised = Supervisor([], settings, log)
        scaler = Scaler(settings, ALL_QUEUES, supervised, log)
        task = asyncio.create_task(scaler.run())
        await eventually_async(lambda: scaler._said == "server")
        with EmbeddedServer(settings) as server, connect(server.url, "test") as client:
            await eventually_async(lambda: client.hexists(keys.SCALING, socket.gethostname()))
            assert not task.done()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert not client.exists(keys.SCALING)

    with ClusterLog(tmp_path, Console(file=io.StringIO()), quiet=True) as log:
        asyncio.run(run(log))
