"""The doubts about an alarm reach every reader, in each language alike."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.api.test_machines import note_change
from tests.integration.helpers import T0
from tests.unit.motor.words.test_rendering import sample_values
from vtox.motor.alarms.health.marks import PASSING_TIMES
from vtox.motor.alarms.health.update import MachineHistory, update
from vtox.motor.faults import PERSISTENCE
from vtox.motor.values import codec
from vtox.motor.values.domain import Diagnosis, Motor, Reason, Record
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import LANGUAGES, Language
from vtox.motor.words.rendering import render, render_all
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.entries import entry_of

FAULT = "turn_short"
DOUBTS = tuple(
    Reason(code, sample_values(said)) for code, said in catalogue("en").sentences.items()
)
# Paths that show the reasons of a machine, of its alarm or of its alerts.
PATHS = (
    *("alerts", "alerts/open", "alarms", "machines", "machines/M1"),
    "fleet?limit=10",
)


@pytest.fixture
def alarm(client: Client) -> str:
    """The id of an alarm of a machine, raised as workers do: every code is among its doubts."""
    machines.register(client, "M1", Motor())
    history, alerts = MachineHistory(), []
    # One of the doubts is a cause that passes.
    for i in range(PASSING_TIMES * PERSISTENCE[FAULT].n):
        d = Diagnosis(fault=FAULT, state="fault", code="no_baseline", doubts=DOUBTS, severity=0.5)
        record = Record(
            machine_id="M1",
            run="",
            first_seq=i,
            last_seq=i,
            t_start=T0 + i,
            t_end=T0 + i + 1,
            ids="1-0",
            windows=1,
            bytes=1,
        )
        changed = update(history, record, [d])
        history = changed.history
        alerts += changed.alerts
        client.hset(keys.machine("M1"), "memory", codec.encode(history))
    (raised,) = alerts
    texts = entry_of(raised)
    client.xadd(keys.ALERTS, dict(zip(texts[::2], texts[1::2], strict=True)))  # type: ignore[arg-type]
    client.sadd(keys.OPEN_ALERTS, f"M1|{FAULT}")
    note_change(client, "M1")
    return raised.id


def reasons(body: Any) -> Iterator[dict[str, Any]]:
    """Yield all that an answer says with doubts."""
    if isinstance(body, dict):
        if {"code", "doubts", "reason"} <= body.keys():
            yield body
        for part in body.values():
            yield from reasons(part)
    elif isinstance(body, list):
        for part in body:
            yield from reasons(part)


@pytest.mark.parametrize("path", PATHS)
def test_no_doubt_is_left_out_in_any_language(http: httpx.Client, alarm: str, path: str) -> None:
    language: Language
    for language in LANGUAGES:
        answer = http.get(f"/api/v1/{path}", headers={"Accept-Language": language})
        found = list(reasons(answer.raise_for_status().json()))
        assert found
        for said in found:
            every = [(said["code"], {}), *((d.code, d.values) for d in DOUBTS)]
            assert said["reason"] == render_all(every, language)
            if "sentence" in said["doubts"][0]:
                wanted = [render(d.code, d.values, language) for d in DOUBTS]
                assert [d["sentence"] for d in said["doubts"]] == wanted
