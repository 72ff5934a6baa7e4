"""A family without workers delays only itself."""

import time

import pytest

from tests.integration.helpers import add_window, bridging, counters, eventually
from vtox.motor.diagnosis.diagnosis import DiagnosisInput
from vtox.motor.values.domain import Diagnosis
from vtox.pipeline.bridge import dispatcher, read_size
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.ledger.backlog import backlog
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.window_log import group_info
from workers import batch
from workers.celery_signals import process

WINDOWS = 200
LIMIT = 16


def all_normal(cases: list[DiagnosisInput], faults: list[str]) -> list[list[Diagnosis]]:
    return [[Diagnosis(fault=f, state="normal", severity=0.0) for f in faults] for _ in cases]


@pytest.fixture
def narrow(client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    monkeypatch.setattr(batch, "answer_batch", all_normal)
    process.cache_clear()
    return load(redis_url=settings.redis_url, in_flight_windows=LIMIT, batch_wait_ms=1)


def test_a_family_without_workers_holds_back_only_itself(client: Client, narrow: Settings) -> None:
    present = {"turn_short", "broken_bar"}

    def send(family: str, record_ids: list[str]) -> None:
        if family in present:
            batch.work(family, record_ids)

    with bridging(narrow, send):
        for k in range(WINDOWS):
            add_window(client, seq=k)
        eventually(lambda: counters(client).get("windows:turn_short") == WINDOWS)
        eventually(lambda: counters(client).get("windows:broken_bar") == WINDOWS)
        c = counters(client)
        assert LIMIT <= c["in_flight_windows:bearing"] < LIMIT + 2
        assert client.hlen(keys.ledger("bearing")) == LIMIT // 2
        assert group_info(client, keys.RAW).pending == WINDOWS, "none is trimmed or lost"
        waiting = eventually(lambda: backlog(client, 1e6).waiting_age_s)
        assert waiting > 0
        present.add("bearing")
        with client.pipeline() as pipe:  # the second dispatch does this after its time
            for record_id in client.hkeys(keys.ledger("bearing")):
                pipe.zadd(keys.due("bearing"), {record_id: 0})
            pipe.execute()
        eventually(lambda: counters(client).get("windows_done") == WINDOWS)
    assert client.xlen(keys.DEAD_LETTERS) == 0
    assert counters(client)["windows:bearing"] == WINDOWS


def test_a_successor_keeps_to_the_limit_of_a_family_without_workers(
    client: Client, narrow: Settings
) -> None:
    for k in range(WINDOWS):
        add_window(client, seq=k)
    for _ in range(2):
        with bridging(narrow, lambda f, ids: f != "bearing" and batch.work(f, ids) and None):
            eventually(lambda: counters(client).get("windows:turn_short") == WINDOWS)
            eventually(lambda: group_info(client, keys.RAW).pending == WINDOWS)
            time.sleep(0.2)
        assert counters(client)["in_flight_windows:bearing"] == LIMIT


def test_what_waits_in_the_bridge_is_bounded(
    client: Client, narrow: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "MAX_WAITING_WINDOWS", 40)
    for k in range(WINDOWS):
        add_window(client, seq=k)
    with bridging(narrow, lambda f, ids: f != "bearing" and batch.work(f, ids) and None):
        eventually(lambda: counters(client).get("windows:turn_short", 0) >= LIMIT + 40)
        time.sleep(0.5)
        assert group_info(client, keys.RAW).pending < LIMIT + 40 + read_size.MAX_READ_WINDOWS // 4
        assert group_info(client, keys.RAW).lag
