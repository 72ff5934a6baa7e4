"""Quotas of senders over HTTP, and the answers beyond them."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.conftest import serving
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.configuration.tables import SendLimits
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys

GOOD: dict[str, Any] = {"t0": 1764000000.25, "fs_hz": 1000, "channels": {"ia": [0.5, -1, 2.25]}}
Serve = Callable[..., httpx.Client]


@pytest.fixture
def serve(settings: Settings, client: Client, tmp_path: Path) -> Iterator[Serve]:
    """Start services with settings of the test."""
    with ExitStack() as stack:
        yield lambda **changes: stack.enter_context(
            serving(load(redis_url=settings.redis_url, data_dir=tmp_path, **changes))
        )


def send(http: httpx.Client, machine: str = "V1", seq: int = 0, key: str = "") -> httpx.Response:
    headers = {"X-API-Key": key} if key else {}
    path = f"/api/v1/machines/{machine}/windows"
    return http.post(path, json=GOOD | {"seq": seq}, headers=headers)


def test_a_machine_over_its_quota_waits_as_told_and_loses_nothing(
    serve: Serve, client: Client
) -> None:
    # Two processes of the API share the quota.
    narrow = SendLimits(api_machine="1/s")
    both = [serve(quota=narrow), serve(quota=narrow)]
    began = time.monotonic()
    answers = [send(both[seq % 2], seq=seq) for seq in range(21)]
    refused = [a for a in answers if a.status_code == 429]
    took_s = time.monotonic() - began
    assert 10 - took_s <= len(refused) <= 10, "one a second, ten seconds ahead, and the first"
    assert refused[-1].json()["code"] == "too_many_requests"
    assert send(both[0], "V2").status_code == 202, "its neighbour is served"
    wait_s = int(refused[-1].headers["Retry-After"])
    assert wait_s == 1
    time.sleep(wait_s)
    assert send(both[0], seq=21).status_code == 202
    assert client.xlen(keys.RAW) == len(answers) - len(refused) + 2
    assert 0 < client.pttl(keys.quota("machine:V1")) <= 21_000


def test_bytes_count_whatever_is_in_them(serve: Serve) -> None:
    http = serve(quota=SendLimits(api_machine="0.0001MB/s"))
    path, body = "/api/v1/machines/V1/windows", b'"' + b"x" * 9000 + b'"'
    headers = {"Content-Type": "application/json"}
    assert http.post(path, content=body, headers=headers).status_code == 400
    refused = http.post(path, content=body, headers=headers)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 81, "9 kB at 0.1 kB/s, with 10 s ahead"


def test_a_key_over_its_quota_spares_other_keys(serve: Serve, client: Client) -> None:
    mad, other = (apikeys.create(client, ["ingest"])[0] for _ in range(2))
    http = serve(cluster_mode="production", quota=SendLimits(api_key="0.2/s"))
    statuses = [send(http, f"V{seq}", key=mad).status_code for seq in range(6)]
    assert statuses == [202, 202, 202, 429, 429, 429]
    assert send(http, "V9", key=other).status_code == 202


def test_without_quotas_nothing_is_counted(serve: Serve, client: Client) -> None:
    http = serve(quota=SendLimits(api_machine="none"))
    assert {send(http, seq=seq).status_code for seq in range(20)} == {202}
    assert not client.exists(keys.quota("machine:V1"))


def test_a_machine_more_than_allowed_is_refused_with_what_to_do(
    serve: Serve, client: Client
) -> None:
    machines.register(client, "R1", Motor())
    http = serve(max_machines=1)
    window, nameplate = send(http, "V1"), http.put("/api/v1/machines/R2", json={"pole_pairs": 2})
    for refused in (window, nameplate):
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_machines")
        assert "VTOX_MAX_MACHINES" in refused.json()["detail"]
        assert "Retry-After" not in refused.headers
    assert send(http, "R1").status_code == 202
    assert http.put("/api/v1/machines/R1", json={"pole_pairs": 2}).status_code == 200
    assert client.zcard(keys.MACHINES) == 1
