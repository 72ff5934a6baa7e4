"""No JSON, however strange, makes the API fail: it is taken, or refused by name."""

import json
from dataclasses import fields
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.api.test_windows import GOOD, JSON, PATH
from tests.integration.pipeline.store.test_alarm_book import ALARM
from tests.integration.reporting.history.entries import add_alert
from vtox.motor.alarms.health.sensitivity import FIELDS as FIELDS_OF_RULES
from vtox.motor.faults import FAULTS
from vtox.motor.values.bearing import Bearing
from vtox.motor.values.domain import CHANNEL_UNITS, Motor
from vtox.pipeline.store.alarms.alarm_book import advance
from vtox.pipeline.store.server.client import Client

pytestmark = pytest.mark.long

MACHINE = PATH.rpartition("/")[0]
# Lone surrogates, noncharacters and NUL too: json.dumps writes them as escapes.
TEXTS = st.text(st.characters(codec=None), max_size=5) | st.sampled_from(["\ud800", "grid", "i2"])
NUMBERS = st.booleans() | st.integers() | st.floats() | st.sampled_from([0, -1, 1e400, 10**400])
VALUES = st.recursive(
    st.none() | NUMBERS | TEXTS,
    lambda x: st.lists(x, max_size=3) | st.dictionaries(TEXTS, x, max_size=3),
    max_leaves=6,
)
WINDOWS = st.dictionaries(
    st.sampled_from([*GOOD, "run", "scale", "dtype", "v", "vehicle_id", "machine_id"]) | TEXTS,
    VALUES | st.dictionaries(st.sampled_from(["ia", "vibration"]) | TEXTS, VALUES, max_size=2),
    max_size=3,
)
NAMEPLATES = st.dictionaries(
    st.sampled_from([f.name for f in fields(Motor)]) | TEXTS,
    VALUES | st.dictionaries(st.sampled_from([f.name for f in fields(Bearing)]), VALUES),
    max_size=3,
)
some = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def assert_no_failure(answer: httpx.Response) -> None:
    assert answer.is_success or answer.status_code in (400, 413, 422), answer.text


@given(change=WINDOWS)
@some
def test_no_window_makes_the_api_fail(
    http: httpx.Client, client: Client, change: dict[str, Any]
) -> None:
    assert_no_failure(http.post(PATH, content=json.dumps(GOOD | change), headers=JSON))


@given(nameplate=NAMEPLATES)
@some
def test_no_nameplate_makes_the_api_fail(
    http: httpx.Client, client: Client, nameplate: dict[str, Any]
) -> None:
    assert_no_failure(http.put(MACHINE, content=json.dumps(nameplate), headers=JSON))
    assert_no_failure(http.get("/api/v1/machines"))


RULES = st.dictionaries(st.sampled_from(FIELDS_OF_RULES) | TEXTS, VALUES, max_size=3)
SOURCES = st.dictionaries(st.sampled_from(["channel", "sign", "ratio"]) | TEXTS, VALUES, max_size=3)
SETTINGS = {
    "sensitivity": ("faults", st.dictionaries(st.sampled_from([*FAULTS]) | TEXTS, RULES | VALUES)),
    "channel-map": (
        "channels",
        st.dictionaries(st.sampled_from([*CHANNEL_UNITS]) | TEXTS, SOURCES | VALUES),
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
@given(data=st.data(), more=st.dictionaries(st.sampled_from(["by", "version"]) | TEXTS, VALUES))
@some
def test_no_setting_makes_the_api_fail(
    http: httpx.Client, client: Client, name: str, data: st.DataObject, more: dict[str, Any]
) -> None:
    http.put(MACHINE, json={}).raise_for_status()
    field, tables = SETTINGS[name]
    body = json.dumps({"by": "Ada", field: data.draw(tables | VALUES)} | more)
    answer = http.put(f"{MACHINE}/{name}", content=body, headers=JSON)
    assert answer.is_success or answer.status_code in (400, 409, 413, 422), answer.text
    assert http.get(f"{MACHINE}/{name}").status_code == 200


ACTIONS = {
    "acknowledge": {"by": "Ada"},
    "comment": {"by": "Ada", "comment": "x"},
    "shelve": {"by": "Ada", "reason": "x", "for_s": 60},
    "close": {"by": "Ada", "outcome": "confirmed"},
}
FIELDS = st.sampled_from(["by", "request_id", "comment", "reason", "until", "for_s", "outcome"])


@given(name=st.sampled_from(list(ACTIONS)), change=st.dictionaries(FIELDS | TEXTS, VALUES))
@some
def test_no_action_makes_the_api_fail(
    http: httpx.Client, client: Client, name: str, change: dict[str, Any]
) -> None:
    advance(client)
    add_alert(client, 5.0)
    answer = http.post(
        f"/api/v1/alarms/{ALARM}/{name}", content=json.dumps(ACTIONS[name] | change), headers=JSON
    )
    assert answer.is_success or answer.status_code in (400, 409, 413, 422), answer.text
    assert http.get(f"/api/v1/alarms/{ALARM}").status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"run": "\ud800"},
        {"vehicle_id": "a\udfff"},
        {"scale": {"\ud800": 1}},
        {"channels": {"\udc00": [1]}},
        {"dtype": "\ud800"},
        {"machine_id": "\ud800"},
        {"\ud800": 1},
    ],
)
def test_half_a_pair_of_surrogates_is_refused_by_name(
    http: httpx.Client, client: Client, change: dict[str, Any]
) -> None:
    answer = http.post(PATH, content=json.dumps(GOOD | change), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "surrogates" in answer.json()["detail"]


def test_a_whole_pair_of_surrogates_is_a_character(http: httpx.Client) -> None:
    answer = http.post(PATH, content=json.dumps(GOOD | {"note": "\U0001f600"}), headers=JSON)
    assert answer.status_code == 202


@pytest.mark.parametrize("path", ["%ED%A0%80", "%00", "%FF", "%F0%9F%98%80"])
def test_no_machine_id_makes_the_api_fail(http: httpx.Client, path: str) -> None:
    for prefix in ("/api/v1/machines/", "/machines/", "/static/", "/api/v1/machines?cursor="):
        assert http.get(prefix + path).status_code in (200, 404, 422)
