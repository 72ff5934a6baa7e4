"""Alarms under the users of the server: each role does its part, and workers write no action."""

import threading

import pytest
import redis

from tests.integration.conftest import serving
from vtox.motor.values.domain import Motor, reason
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.alarms.alarm_book import advance
from vtox.pipeline.store.alarms.flags import set_flag
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client, connect
from vtox.reporting.history.recorder import Recorder

ADA = {"by": "Ada", "reason": "repair"}


def test_alarms_are_raised_handled_recorded_and_deleted_by_the_roles(
    server: EmbeddedServer, settings: Settings, client: Client
) -> None:
    url = server.address.role_url
    machines.register(client, "M1", Motor())
    with connect(url("bridge"), "bridge") as bridge:
        advance(bridge)
        set_flag(bridge, "M1", "silent", True, reason("machine_silent"))
        advance(bridge, forget=True)
    own = {"data_dir": settings.data_dir}
    with (
        connect(url("recorder"), "recorder") as recording,
        serving(load(redis_url=url("api"), **own)) as http,
    ):
        (alarm,) = http.get("/api/v1/alarms").json()["data"]
        path = f"/api/v1/alarms/{alarm['id']}"
        assert http.post(f"{path}/shelve", json=ADA | {"for_s": 60}).status_code == 200
        assert http.post("/api/v1/machines/M1/out-of-service", json=ADA).status_code == 200
        recorder = Recorder(recording, load(redis_url=url("recorder"), **own))
        recorder.record(threading.Event())
        recorder.close()
        assert len(http.get(path).json()["data"]["actions"]) == 2
        assert http.delete("/api/v1/machines/M1").status_code == 204
        assert http.get("/api/v1/alarms").json()["data"] == []
    with connect(url("worker"), "worker") as worker, pytest.raises(redis.ResponseError):
        worker.xadd(keys.ALARM_ACTIONS, {"action": "close"})
