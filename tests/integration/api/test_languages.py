"""Answers say their sentences in the language of the request, and in which; codes stay."""

import json
import re
from typing import Any

import httpx
import pytest

from tests.integration.api.test_machines import commit_health
from tests.unit.motor.words.latin import latin_words
from vtox.motor.values.domain import reason
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.rendering import advice, render
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}
CODE = "load_too_low"
VALUES = {"load_a": 1.0, "needed_a": 2.5}


@pytest.fixture
def machine(client: Client) -> None:
    """A machine whose latest record was undecided, and an alert of it."""
    commit_health(client, "M1", bearing="unknown")
    set_latest(client, "M1", "bearing")
    alert = {"id": "M1:bearing:1", "machine_id": "M1", "fault": "bearing", "level": "fault"}
    why = reason(CODE, **VALUES)
    fields = {"event": "raised", "t": "1764000010", "code": CODE, "reason": why.sentence}
    client.xadd(keys.ALERTS, alert | fields | {"values": '{"load_a":1.0,"needed_a":2.5}'})


def set_latest(client: Client, machine_id: str, fault: str) -> None:
    field = f"latest:{fault}"
    latest = json.loads(client.hget(keys.machine(machine_id), field) or b"")
    latest |= {"code": CODE, "reason": reason(CODE, **VALUES).sentence}
    latest["detail"] |= {"values": VALUES, "doubts": [{"code": "no_baseline", "values": {}}]}
    client.hset(keys.machine(machine_id), field, json.dumps(latest))


def data(http: httpx.Client, path: str, headers: dict[str, str] | None = None) -> Any:
    return http.get(path, headers=headers).json()["data"]


def test_a_diagnosis_is_said_in_chinese(http: httpx.Client, machine: None) -> None:
    english = data(http, "/api/v1/machines/M1")["diagnoses"]["bearing"]
    answer = http.get("/api/v1/machines/M1", headers=CHINESE)
    chinese = answer.json()["data"]["diagnoses"]["bearing"]
    assert chinese["sentence"] == render(CODE, VALUES, "zh")
    assert chinese["what_to_do"] == advice(CODE, VALUES, "zh")
    assert chinese["doubts"][0]["sentence"] == render("no_baseline", {}, "zh")
    assert chinese["reason"] == f"{chinese['sentence']}；{chinese['doubts'][0]['sentence']}"
    words = {"sentence", "what_to_do", "doubts", "reason"}
    assert {k: v for k, v in chinese.items() if k not in words} == {
        k: v for k, v in english.items() if k not in words
    }, "codes and numbers are the same"
    assert english["sentence"] == render(CODE, VALUES)


@pytest.mark.parametrize(
    "path",
    ["/api/v1/machines/M1", "/api/v1/machines/M1/coverage", "/api/v1/coverage", "/api/v1/alerts"],
)
def test_answers_with_sentences_say_their_language(
    http: httpx.Client, machine: None, path: str
) -> None:
    for headers, tag in (({}, "en"), (CHINESE, "zh-Hans")):
        answer = http.get(path, headers=headers)
        assert answer.headers["content-language"] == tag
        assert "Accept-Language" in answer.headers["vary"]


def test_the_address_goes_before_the_header(http: httpx.Client, machine: None) -> None:
    answer = http.get("/api/v1/machines/M1/coverage?lang=en", headers=CHINESE)
    assert answer.headers["content-language"] == "en"
    assert http.get("/api/v1/alerts?lang=zh").headers["content-language"] == "zh-Hans"
    assert http.get("/api/v1/alerts?lang=xx").status_code == 422


def test_an_answer_without_sentences_depends_on_no_language(http: httpx.Client) -> None:
    answer = http.get("/version", headers=CHINESE)
    assert "content-language" not in answer.headers
    assert "Accept-Language" not in answer.headers.get("vary", "")


def test_alerts_and_coverage_are_said_in_chinese(http: httpx.Client, machine: None) -> None:
    (alert,) = data(http, "/api/v1/alerts", CHINESE)
    assert (alert["code"], alert["reason"]) == (CODE, render(CODE, VALUES, "zh"))
    fleet = data(http, "/api/v1/coverage", CHINESE)
    for text in [r["what_to_do"] for f in fleet["faults"] for r in f["reasons"]]:
        assert latin_words(text) == set()
    of_machine = data(http, "/api/v1/machines/M1/coverage", CHINESE)["faults"]
    assert all(latin_words(f["sentence"] + f["what_to_do"]) == set() for f in of_machine)


def test_what_was_written_stays_where_the_code_is_not_known(
    http: httpx.Client, client: Client
) -> None:
    alert = {"id": "M1:bearing:1", "machine_id": "M1", "fault": "bearing", "level": "fault"}
    fields = {"event": "raised", "t": "1764000010", "reason": "as an old version said it"}
    client.xadd(keys.ALERTS, alert | fields)
    (found,) = data(http, "/api/v1/alerts", CHINESE)
    assert found["reason"] == "as an old version said it"


def test_a_page_is_in_the_language_of_address_switch_or_browser(http: httpx.Client) -> None:
    html = {"Accept": "text/html"}
    for path, headers, tag in (
        ("/", {}, "en"),
        ("/", CHINESE, "zh-Hans"),
        ("/", CHINESE | {"Cookie": "vtox_language=en"}, "en"),
        ("/?lang=zh", {"Cookie": "vtox_language=en"}, "zh-Hans"),
        ("/docs?lang=xx", {"Cookie": "vtox_language=xx"}, "en"),
    ):
        answer = http.get(path, headers=html | headers)
        assert answer.headers["content-language"] == tag
        assert f'<html lang="{tag}">' in answer.text
        assert {"Accept-Language", "Cookie"} <= set(answer.headers["vary"].split(", "))


def test_a_problem_has_its_title_in_chinese(http: httpx.Client) -> None:
    answer = http.get("/api/v1/machines/NOBODY/coverage", headers=CHINESE)
    assert (answer.json()["code"], answer.json()["title"]) == (
        "not_found",
        catalogue("zh").problems["not_found"],
    )
    assert answer.headers["content-language"] == "zh-Hans"


def test_checks_of_the_system_are_said_in_chinese(http: httpx.Client) -> None:
    english = data(http, "/api/v1/cluster/status")
    chinese = data(http, "/api/v1/cluster/status", CHINESE)
    for ours, theirs in zip(english["checks"], chinese["checks"], strict=True):
        assert (ours["name"], ours["status"], ours["code"]) == (
            theirs["name"],
            theirs["status"],
            theirs["code"],
        )
        plain = re.sub(r"`[^`]*`|valkey|redis", "", theirs["observed"] + theirs["remedy"])
        assert latin_words(plain) == set()
    reason_of_no_figure = chinese["performance_metrics"]["throughput_reason"]
    assert latin_words(reason_of_no_figure) == set()
    assert reason_of_no_figure
