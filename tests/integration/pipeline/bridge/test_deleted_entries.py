"""Entries that another client deletes while they are read, joined or at work."""

from collections import Counter

import pytest

from tests.integration.helpers import add_window, bridging, counters, eventually
from vtox.motor.diagnosis.diagnosis import DiagnosisInput
from vtox.motor.values.domain import Diagnosis
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.window_log import group_info
from workers import batch
from workers.celery_signals import process

WINDOWS = 12


def all_normal(cases: list[DiagnosisInput], faults: list[str]) -> list[list[Diagnosis]]:
    return [[Diagnosis(fault=f, state="normal", severity=0.0) for f in faults] for _ in cases]


@pytest.mark.parametrize("successor", [False, True])
def test_windows_that_somebody_else_deletes_end_as_dead_letters_and_nothing_stays_behind(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, successor: bool
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    monkeypatch.setattr(batch, "answer_batch", all_normal)
    process.cache_clear()
    hasty = load(redis_url=settings.redis_url, batch_wait_ms=1, redispatch_after_s=0.5)
    ids = [add_window(client, seq=k) for k in range(WINDOWS)]
    deleted = ids[3:6]

    def work(family: str, record_ids: list[str]) -> None:
        if family != "turn_short":  # at work on a window each, when they are deleted
            batch.work(family, record_ids)

    with bridging(hasty, work if not successor else lambda *_: None):
        eventually(lambda: client.hlen(keys.ledger("turn_short")) == WINDOWS)
        client.xdel(keys.RAW, *deleted)
        if not successor:
            eventually(
                lambda: (
                    counters(client).get("windows:broken_bar", 0) or client.xlen(keys.DEAD_LETTERS)
                )
            )
    with bridging(hasty, batch.work):
        eventually(lambda: group_info(client, keys.RAW).pending == 0)
    letters = [e for _, e in client.xrange(keys.DEAD_LETTERS)]
    assert {e[b"code"] for e in letters} == {b"samples_missing"}
    assert {e[b"stream_id"].decode() for e in letters} >= set(deleted)
    of_turn_short = Counter(
        e[b"stream_id"].decode() for e in letters if e[b"family"] == b"turn_short"
    )
    assert of_turn_short == dict.fromkeys(deleted, 1)
    assert client.hlen(keys.PROGRESS) == 0
    c = counters(client)
    assert c.get("windows_done", 0) + c["windows_dead"] == WINDOWS
    assert [v for k, v in c.items() if k.startswith("in_flight")] == [0] * 6
