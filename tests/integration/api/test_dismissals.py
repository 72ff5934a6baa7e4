"""An alarm closed as false: its effect on workers, API and audit, until a person ends that."""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import httpx
import pytest

from tests.integration.helpers import add_window, bridging, counters, eventually
from vtox.motor.alarms.health.sensitivity import rules_from_dict
from vtox.motor.diagnosis.diagnosis import DiagnosisInput
from vtox.motor.values.domain import Diagnosis, Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.alarms import alarm_book
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.machines.machine_settings import SENSITIVITY, store_setting
from vtox.pipeline.store.server.client import Client
from workers import batch
from workers.celery_signals import process

FALSE = {"by": "Ada", "outcome": "false_alarm"}
START = time.time() - 60
# Scale of the signal -> severity.
SOUND, WEAK, STRONG = 0.01, 0.5, 1.0


def diagnose_by_size(
    cases: Sequence[DiagnosisInput], faults: Sequence[str]
) -> list[list[Diagnosis]]:
    """Impacts at one order, as severe as the signal is large, and nothing else."""
    sizes = [float(max(c.recording.channels["ia"])) for c in cases]
    return [[_diagnosis(f, size) for f in faults] for size in sizes]


def _diagnosis(fault: str, size: float) -> Diagnosis:
    if fault != "bearing" or size < 100:
        return Diagnosis(fault=fault, state="normal", code="because_quiet", severity=0.0)
    severity, values = (0.4 if size < 700 else 0.7), {"order": 3.05}
    return Diagnosis(
        fault=fault, state="warning", code="because_impacts", severity=severity, values=values
    )


@pytest.fixture
def system(client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that alarms at its first record, and a bridge whose tasks are executed at once."""
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    monkeypatch.setattr(batch, "answer_batch", diagnose_by_size)
    process.cache_clear()
    alarm_book.advance(client)
    machines.register(client, "M1", Motor())
    rules = rules_from_dict({"bearing": {"k": 1, "n": 1, "clear": 1, "days": 1}})
    store_setting(client, "M1", SENSITIVITY, {"faults": rules}, by="Ada")
    with bridging(load(redis_url=settings.redis_url, batch_wait_ms=1), batch.work):
        yield
    process.cache_clear()


def _is_done(client: Client, windows: int) -> bool:
    return counters(client).get("windows:bearing", 0) == windows


def send(client: Client, *scales: float) -> None:
    """Send a record of each scale after those before, and wait for its results."""
    for scale in scales:
        done = counters(client).get("windows:bearing", 0)
        for k in (done, done + 1):
            add_window(client, "M1", k, t0=START + k, run="a", scale_ia=scale)
        eventually(partial(_is_done, client, done + 2))


def events(client: Client) -> list[str]:
    entries = [e for _, e in client.xrange(keys.ALERTS) if e[b"fault"] == b"bearing"]
    return [e[b"event"].decode() for e in entries]


def dismissals(http: httpx.Client) -> list[dict[str, Any]]:
    machine = http.get("/api/v1/machines/M1").raise_for_status().json()["data"]
    found: list[dict[str, Any]] = machine["dismissals"]
    return found


def close(http: httpx.Client, **how: str) -> str:
    """Close the newest alarm; return its id."""
    alarm_id: str = http.get("/api/v1/alarms?fault=bearing").json()["data"][0]["id"]
    http.post(f"/api/v1/alarms/{alarm_id}/close", json=FALSE | how).raise_for_status()
    return alarm_id


def end(http: httpx.Client, alarm_id: str) -> httpx.Response:
    return http.post(f"/api/v1/machines/M1/dismissals/{alarm_id}/end", json={"by": "Bob"})


def test_what_was_closed_as_false_comes_again_once_that_is_ended(
    http: httpx.Client, client: Client, system: None
) -> None:
    send(client, WEAK)
    alarm_id = close(http)
    (dismissal,) = dismissals(http)
    assert dismissal["alarm_id"] == alarm_id
    assert (dismissal["fault"], dismissal["by"]) == ("bearing", "Ada")
    assert (dismissal["orders"], dismissal["raised_from_severity"]) == ([3.05], 0.6)
    send(client, SOUND, WEAK, WEAK)
    assert events(client) == ["raised", "cleared"]
    fault = http.get("/api/v1/machines/M1").json()["data"]["assessment"]["faults"]["bearing"]
    assert "alarm_dismissed" in [n["code"] for n in fault["seen"]["needs"]]
    assert end(http, alarm_id).raise_for_status().json()["data"] == []
    assert end(http, alarm_id).status_code == 404
    deed = http.get("/api/v1/audit").json()["data"][0]
    assert (deed["code"], deed["by"], deed["machine_id"]) == ("dismissal_ended", "Bob", "M1")
    send(client, WEAK)
    assert events(client) == ["raised", "cleared", "raised"]


def test_it_comes_again_as_soon_as_it_has_grown(
    http: httpx.Client, client: Client, system: None
) -> None:
    send(client, WEAK)
    close(http)
    send(client, SOUND, WEAK, STRONG)
    assert events(client) == ["raised", "cleared", "raised"]


def test_another_outcome_holds_nothing_back(
    http: httpx.Client, client: Client, system: None
) -> None:
    send(client, WEAK)
    close(http, outcome="other_cause")
    assert dismissals(http) == []
    send(client, SOUND, WEAK)
    assert events(client) == ["raised", "cleared", "raised"]


def test_a_request_whose_answer_was_lost_is_done_at_the_second_try(
    http: httpx.Client, client: Client, system: None
) -> None:
    send(client, WEAK)
    close(http, request_id="r1")
    client.hdel(keys.machine("M1"), "dismissals", "dismissals_version")  # it ended in between
    close(http, request_id="r1")
    assert len(dismissals(http)) == 1
