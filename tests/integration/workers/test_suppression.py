"""An open alarm while its machine starts or stops: suppressed by design, and back by itself."""

import time
from collections.abc import Callable, Iterator, Sequence
from threading import Event
from typing import Any

import httpx
import pytest

from tests.integration.helpers import add_window, bridging, counters, eventually
from vtox.motor.diagnosis.diagnosis import DiagnosisInput
from vtox.motor.values.domain import Diagnosis, abstain, reason
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.alarms import alarm_book
from vtox.pipeline.store.server.client import Client
from vtox.reporting.history.recorder import Recorder
from workers import batch
from workers.celery_signals import process

Send = Callable[..., None]
# State -> size of a window: the diagnosers' own limits play no part.
SIZES = {"fault": 1.0, "switched": 0.1, "normal": 0.01, "sensor": 0.001}
SWITCHED = reason("switched_within_record", off_s=0.4, duration_s=1.0)


def diagnose_by_size(
    cases: Sequence[DiagnosisInput], faults: Sequence[str]
) -> list[list[Diagnosis]]:
    return [[_diagnosis(f, max(c.recording.channels["ia"])) for f in faults] for c in cases]


def _diagnosis(fault: str, size: float) -> Diagnosis:
    if size > 100:
        return Diagnosis(fault=fault, state="fault", code="no_current", severity=0.5)
    if size > 10:
        return abstain(fault, SWITCHED)
    if size > 1:
        return Diagnosis(fault=fault, state="normal", severity=0.0)
    return abstain(fault, reason("no_current"))


@pytest.fixture
def send(client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Send]:
    """Send a window of 1 s after the other, and wait for their results."""
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    monkeypatch.setattr(batch, "answer_batch", diagnose_by_size)
    process.cache_clear()
    sent, began = 0, time.time() - 60

    def send_windows(kind: str, n: int = 1) -> None:
        nonlocal sent
        for _ in range(n):
            add_window(client, "M", sent, t0=began + sent, run="a", scale_ia=SIZES[kind])
            sent += 1
        eventually(lambda: counters(client).get("windows:turn_short", 0) == sent)

    with bridging(load(redis_url=settings.redis_url, batch_wait_ms=1), batch.work):
        yield send_windows
    process.cache_clear()


def turn_short_alarm(http: httpx.Client) -> dict[str, Any]:
    body = http.get("/api/v1/alarms?fault=turn_short").raise_for_status().json()
    return {**body["data"][0], "open_alarms": body["open"]}


def test_it_is_suppressed_by_a_start_and_comes_back_with_the_first_record_of_anything_else(
    fresh_http: httpx.Client, client: Client, settings: Settings, send: Send
) -> None:
    alarm_book.advance(client)
    send("fault", 3)
    alarm = turn_short_alarm(fresh_http)
    assert (alarm["state"], alarm["open_alarms"]) == ("unacknowledged", 1)
    send("switched", 2)
    alarm = turn_short_alarm(fresh_http)
    assert (alarm["state"], alarm["open"], alarm["active"]) == ("suppressed_by_design", False, True)
    assert alarm["open_alarms"] == 0
    (why,) = alarm["suspensions"]
    assert (why["code"], why["by"], why["until"]) == ("switched_within_record", "", None)
    assert why["since"] == alarm["since"]
    assert "off for 0.4 of 1.0 s" in why["reason"]
    assert fresh_http.get("/api/v1/alerts/open").json()["data"] == []
    listed = fresh_http.get("/api/v1/alarms/suspensions").json()["data"]["suppressed_by_design"]
    assert ("M", "turn_short") in [(s["machine_id"], s["fault"]) for s in listed]
    metrics = fresh_http.get("/metrics").text
    assert 'vtox_open_alarms{level="fault",state="unacknowledged"} 0' in metrics
    send("sensor")
    assert turn_short_alarm(fresh_http)["state"] == "unacknowledged", (
        "a sensor that is dead hides nothing"
    )
    send("switched")
    assert turn_short_alarm(fresh_http)["state"] == "suppressed_by_design"
    send("fault")
    assert turn_short_alarm(fresh_http)["state"] == "unacknowledged"
    recorder = Recorder(client, settings)
    recorder.record(Event())
    recorder.close()
    events = fresh_http.get("/api/v1/alerts?machine_id=M").json()["data"]
    assert [a["event"] for a in events if a["fault"] == "turn_short"][::-1] == [
        "raised",
        *["suppressed", "unsuppressed"] * 2,
    ]


def test_what_ends_with_the_first_steady_records_is_not_lost(
    fresh_http: httpx.Client, client: Client, send: Send
) -> None:
    alarm_book.advance(client)
    send("fault", 3)
    send("switched")
    send("normal", 3)
    assert turn_short_alarm(fresh_http)["state"] == "returned_unacknowledged"


def test_a_book_that_is_made_anew_knows_it(
    client: Client, fresh_http: httpx.Client, send: Send
) -> None:
    send("fault", 3)
    send("switched")
    assert turn_short_alarm(fresh_http)["state"] == "suppressed_by_design"
    send("fault")
    assert turn_short_alarm(fresh_http)["state"] == "unacknowledged"
