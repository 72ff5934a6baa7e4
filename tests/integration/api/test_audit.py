"""The audit has the person and address of each change by HTTP. Wrong keys are in it, and wait."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.integration.api.conformance import document
from tests.integration.api.test_cluster_page import add_letter
from vtox.motor.alarms.life import Alarm
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.machines.dismissals import dismiss
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream import deadletters
from vtox.pipeline.store.system import apikeys, sessions
from vtox.pipeline.store.system.wrong_keys import DIFFERENT_AT_MOST

URL = "/api/v1/audit"
MACHINE = "/api/v1/machines/M1"
FAR = {"X-Forwarded-For": "192.0.2.7"}
OPERATOR = {"by": "Ada", "reason": "repair"}
FALSE_ALARM = Alarm(
    id="M1:bearing:0",
    machine_id="M1",
    fault="bearing",
    level="warning",
    raised_ms=0,
    since_ms=0,
    outcome="false_alarm",
    closed_ms=round(1000 * time.time()),
)
Change = Callable[[httpx.Client, Client, dict[str, str]], httpx.Response]


def replayed(http: httpx.Client, client: Client, headers: dict[str, str]) -> httpx.Response:
    letter = next(iter(deadletters.newest_first(client)))
    return http.post(f"/api/v1/dead-letters/{letter.id}/replay", headers=headers)


# Route that changes something -> its call, the code, and a part of its sentence.
CHANGES: dict[tuple[str, str], tuple[Change, str, str]] = {
    ("PUT", "/api/v1/machines/{machine_id}"): (
        lambda http, _, h: http.put(MACHINE, json={"pole_pairs": 3}, headers=h),
        "nameplate_changed",
        "pole_pairs: 2 -> 3",
    ),
    ("DELETE", "/api/v1/machines/{machine_id}"): (
        lambda http, _, h: http.delete(MACHINE, headers=h),
        "machine_deleted",
        "retired",
    ),
    ("PUT", "/api/v1/machines/{machine_id}/sensitivity"): (
        lambda http, _, h: http.put(
            f"{MACHINE}/sensitivity", json={"faults": {"bearing": {"k": 4, "n": 9}}}, headers=h
        ),
        "sensitivity_changed",
        "bearing.k: 6 -> 4",
    ),
    ("PUT", "/api/v1/machines/{machine_id}/channel-map"): (
        lambda http, _, h: http.put(
            f"{MACHINE}/channel-map",
            json={"channels": {"ia": {"channel": "ia", "sign": -1}}},
            headers=h,
        ),
        "channel_map_changed",
        "ia.sign: none -> -1",
    ),
    ("POST", "/api/v1/machines/{machine_id}/out-of-service"): (
        lambda http, _, h: http.post(f"{MACHINE}/out-of-service", json=OPERATOR, headers=h),
        "taken_out_of_service",
        "repair",
    ),
    ("POST", "/api/v1/machines/{machine_id}/in-service"): (
        lambda http, _, h: (
            http.post(f"{MACHINE}/out-of-service", json=OPERATOR, headers=h),
            http.post(f"{MACHINE}/in-service", json={"by": "Ada"}, headers=h),
        )[1],
        "returned_to_service",
        "returned",
    ),
    ("POST", "/api/v1/machines/{machine_id}/dismissals/{alarm_id}/end"): (
        lambda http, client, h: (
            dismiss(client, FALSE_ALARM),
            http.post(f"{MACHINE}/dismissals/{FALSE_ALARM.id}/end", json={"by": "Ada"}, headers=h),
        )[1],
        "dismissal_ended",
        "may come again",
    ),
    ("POST", "/api/v1/dead-letters/{letter_id}/replay"): (
        replayed,
        "dead_letter_replayed",
        "sent again",
    ),
}
# Windows are no change, and alarms have their own actions (`alarm_actions`).
NOT_AUDITED = ("/windows", "/scalars", "/alarms/", "/nameplate/check")


@pytest.fixture
def admin(client: Client) -> dict[str, str]:
    """The headers of an administrator elsewhere, behind a proxy on this host."""
    machines.register(client, "M1", Motor(pole_pairs=2))
    add_letter(client, **{"entry.machine_id": "M1", "entry.seq": "9"})
    text, _ = apikeys.create(client, ["admin"], "Ada Byron")
    return {"X-API-Key": text} | FAR


def entries(http: httpx.Client, headers: dict[str, str], **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        http.get(URL, headers=headers, params=query).raise_for_status().json()["data"]
    )
    return found


def test_every_route_that_changes_something_is_tried_here() -> None:
    routes = {
        (method.upper(), path)
        for path, operations in document()["paths"].items()
        for method in operations
        if method != "get" and not any(part in path for part in NOT_AUDITED)
    }
    assert routes == CHANGES.keys()


@pytest.mark.parametrize("route", CHANGES, ids=" ".join)
def test_a_change_is_in_the_audit_with_who_and_from_where(
    http: httpx.Client, client: Client, admin: dict[str, str], route: tuple[str, str]
) -> None:
    change, code, said = CHANGES[route]
    change(http, client, admin).raise_for_status()
    newest = entries(http, admin)[0]
    assert (newest["by"], newest["address"]) == ("Ada Byron", "192.0.2.7")
    assert newest["key_id"] == apikeys.id_of(admin["X-API-Key"])
    assert (newest["machine_id"], newest["code"]) == ("M1", code)
    assert said in newest["sentence"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/api/v1/machines/M9", None),
        ("PUT", "/api/v1/machines/M9/sensitivity", {"faults": {}}),
        ("PUT", f"{MACHINE}/channel-map", {"channels": {}, "version": 7}),
        ("PUT", MACHINE, {"pole_pairs": 2}),
    ],
)
def test_what_changes_nothing_is_not_in_the_audit(
    http: httpx.Client, client: Client, admin: dict[str, str], method: str, path: str, body: Any
) -> None:
    http.request(method, path, json=body, headers=admin)
    assert client.xlen(keys.AUDIT) == 0


def test_the_list_is_for_those_with_admin(http: httpx.Client, client: Client) -> None:
    for scope, status in (("admin", 200), ("operate", 403)):
        text, record = apikeys.create(client, [scope])
        cookie = {"Cookie": f"vtox_session={sessions.begin(client, record)}"}
        for headers in ({"X-API-Key": text}, cookie):
            assert http.get(URL, headers=headers).status_code == status


def test_the_list_comes_in_pages_and_of_one_machine(
    http: httpx.Client, admin: dict[str, str]
) -> None:
    for i in range(5):
        http.put(f"/api/v1/machines/M{i % 2}", json={"pole_pairs": 4 + i}, headers=admin)
    path: str | None = f"{URL}?limit=2"
    pages = []
    while path:
        body = http.get(path, headers=admin).raise_for_status().json()
        pages.append([e["machine_id"] for e in body["data"]])
        path = body["next"]
    assert pages == [["M0", "M1"], ["M0", "M1"], ["M0"]]
    assert len(entries(http, admin, machine_id="M1")) == 2
    assert http.get(f"{URL}?cursor=x", headers=admin).status_code == 422


def test_signing_in_and_out_is_in_the_audit(http: httpx.Client, admin: dict[str, str]) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = f"key={admin['X-API-Key']}"
    signed = http.post("/sign-in", content=body, headers=form | FAR)
    assert signed.status_code == 303
    own = f"http://{http.base_url.netloc.decode()}"
    http.post("/sign-out", headers=FAR | {"Origin": own})
    found = [(e["code"], e["by"], e["address"]) for e in entries(http, admin)]
    assert found == [(code, "Ada Byron", "192.0.2.7") for code in ("signed_out", "signed_in")]


def test_who_guesses_keys_waits_and_who_has_one_does_not(
    http: httpx.Client, client: Client, admin: dict[str, str]
) -> None:
    assert http.get("/version", headers=admin).status_code == 200

    def guess(i: int) -> httpx.Response:
        return http.get("/version", headers={"X-API-Key": f"vtox_0badc0de_{i}"} | FAR)

    answers = [guess(i) for i in range(DIFFERENT_AT_MOST + 2)]
    assert [a.status_code for a in answers] == [401] * DIFFERENT_AT_MOST + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].json()["code"] == "too_many_requests"
    unknown, _ = apikeys.create(client, ["read"])
    assert http.get("/version", headers={"X-API-Key": unknown} | FAR).status_code == 429
    assert http.get("/version", headers={"X-API-Key": unknown}).status_code == 200, "elsewhere"
    assert http.get("/version", headers=admin).status_code == 200
    signing_in = http.post(
        "/sign-in",
        content="key=vtox_0badc0de_x",
        headers=FAR | {"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert (signing_in.status_code, "Wait a minute" in signing_in.text) == (429, True)
    found = [e for e in entries(http, admin) if e["code"] == "wrong_keys"]
    assert [(e["address"], e["key_id"], e["values"]["attempts"]) for e in found] == [
        ("192.0.2.7", "0badc0de", n) for n in (10, 1)
    ]
