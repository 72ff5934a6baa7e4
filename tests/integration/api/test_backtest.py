"""The back-test by HTTP: results in the stream, the recorder, and the alerts by other rules."""

from collections.abc import Callable, Iterator
from threading import Event

import httpx
import pytest

from tests.integration.conftest import serving
from tests.integration.reporting.history.entries import add_alert, add_result
from vtox.motor.alarms.health.sensitivity import rules_from_dict
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.tables import Keep
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.machines.machine_settings import SENSITIVITY, store_setting
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.recorder import Recorder

URL = "/api/v1/machines/M1/sensitivity/backtest"
HOUR_S = 3600


@pytest.fixture
def record(client: Client, settings: Settings) -> Iterator[Callable[[], object]]:
    """A function that records the streams; the machine M1 is registered."""
    machines.register(client, "M1", Motor())
    recorder = Recorder(client, settings)
    yield lambda: recorder.record(Event())
    recorder.close()


def backtest(http: httpx.Client, **query: object) -> dict:  # type: ignore[type-arg]
    answer = http.get(URL, params={"fault": "bearing", "on_days": 1, **query})  # type: ignore[dict-item]
    assert answer.status_code == 200, answer.text
    data: dict = answer.json()["data"]  # type: ignore[type-arg]
    return data


def add_marks(client: Client, from_t: float, marks: str, severity: float = 0.4) -> None:
    """Add a result of each mark, as workers do, one record of 2 s after the other."""
    states = {"n": "normal", "w": "warning", "f": "fault", "q": "unknown", "u": "unknown"}
    for i, mark in enumerate(marks):
        found = {"state": states[mark], "severity": severity, "confidence": 0.8}
        ends = from_t + 2 * (i + 1)
        add_result(client, ends, marks="" if mark == "u" else mark, **found)


def test_another_sensitivity_is_tried_beside_the_one_in_force(
    fresh_http: httpx.Client, client: Client, record: Callable[[], object]
) -> None:
    begin = server_time(client) - 200
    add_marks(client, begin, "nnwwnnnn" + "nwnwuw" + "nnnnnn" + "qqqq")
    store_setting(
        client,
        "M1",
        SENSITIVITY,
        {"faults": rules_from_dict({"bearing": {"k": 3, "n": 5, "days": 1}})},
        by="",
    )
    record()
    data = backtest(fresh_http, k=2, n=3, clear=4)
    assert (data["diagnoses"], data["level_at_raw_from"]) == (24, "")
    assert data["in_force"]["sensitivity"]["k"] == 3
    assert [data["in_force"][n] for n in ("raised", "cleared", "open_s")] == [1, 1, 10.0]
    proposed = data["proposed"]
    assert [(e["event"], e["level"]) for e in proposed["events"]] == [
        ("cleared", "warning"),
        ("raised", "warning"),
        ("cleared", "warning"),
        ("raised", "warning"),
    ]
    assert backtest(fresh_http, k=2, n=3, min_severity=0.5)["proposed"]["raised"] == 0
    assert backtest(fresh_http, k=2, n=3, min_confidence=0.5)["proposed"]["raised"] == 2
    store_setting(
        client,
        "M1",
        SENSITIVITY,
        {"faults": rules_from_dict({"bearing": {"k": 5, "days": 1}})},
        by="",
    )
    assert backtest(fresh_http)["in_force"]["raised"] == 0
    by_days = backtest(fresh_http, k=2, n=3, on_days=3)
    assert (by_days["proposed"]["raised"], by_days["days_only"]) == (0, False)
    assert backtest(fresh_http, fault="broken_bar", on_days=3)["days_only"]


def test_it_says_what_cannot_be_decided(client: Client, settings: Settings) -> None:
    """Only hours are left of records older than their retention."""
    short = settings.model_copy(update={"keep": Keep(history_records="1h", history_minutes="2.4h")})
    machines.register(client, "M1", Motor())
    now = server_time(client)
    hour = now // HOUR_S * HOUR_S
    add_marks(client, hour - 10 * HOUR_S, "nnnn")
    add_marks(client, hour - 5 * HOUR_S, "nffn")
    add_alert(client, hour - 5 * HOUR_S)
    add_marks(client, now - 1800, "nnnn")
    recorder = Recorder(client, short)
    recorder.record(Event())
    recorder.close()
    with serving(short) as http:
        data = backtest(http, days=1)
    assert (data["hours"]["quiet"], data["hours"]["undecidable"]) == (1.0, 1.0)
    assert data["hours"]["raw"] == pytest.approx(0.5, abs=0.02)
    assert sum(data["hours"].values()) == pytest.approx(24, abs=0.05)
    assert (data["diagnoses"], data["level_at_raw_from"]) == (4, "warning")
    assert (data["recorded"]["raised"], data["recorded_in_all"]["raised"]) == (0, 1)
    assert data["in_force"]["level_at_end"] == "warning"


def test_before_anything_was_recorded_there_is_nothing_to_try(
    fresh_http: httpx.Client, client: Client
) -> None:
    assert fresh_http.get(URL, params={"fault": "bearing"}).status_code == 404
    machines.register(client, "M1", Motor())
    data = backtest(fresh_http)
    assert (data["raw_from"], data["diagnoses"]) == (None, 0)
    assert data["hours"] == {"raw": 0, "quiet": 0, "undecidable": 0, "empty": 720}


def test_diagnoses_without_marks_are_not_tried(
    fresh_http: httpx.Client, client: Client, record: Callable[[], object]
) -> None:
    now = server_time(client)
    for age_s in (20, 18, 16):
        add_result(client, now - age_s, state="fault", severity=0.9)
    record()
    data = backtest(fresh_http, k=1, n=1)
    assert (data["diagnoses"], data["raw_from"]) == (0, None)
    assert data["hours"]["undecidable"] > 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"fault": "rust"}, "fault"),
        ({"k": 6, "n": 5}, "bearing.k"),
        ({"k": 99}, "bearing.k"),
        ({"min_severity": 2}, "bearing.min_severity"),
        ({"days": 0}, "days"),
        ({"hold": 1}, "hold"),
    ],
)
def test_what_cannot_be_tried_is_422(
    fresh_http: httpx.Client, client: Client, query: dict[str, object], field: str
) -> None:
    machines.register(client, "M1", Motor())
    answer = fresh_http.get(URL, params={"fault": "bearing"} | query)  # type: ignore[arg-type]
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
