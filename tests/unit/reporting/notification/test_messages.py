"""Messages: their size, words in both languages, and the effect of a stranger's entry."""

from dataclasses import replace

import orjson
import pytest

from tests.unit.reporting.notification.test_plan import EVENT, SYSTEM
from vtox.motor.alarms.book import Action
from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.alarms.health.growth import growth
from vtox.motor.alarms.work_orders import WorkOrder
from vtox.motor.values.domain import reason
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import LANGUAGES, Language
from vtox.motor.words.rendering import render, render_all
from vtox.reporting.notification.events import EVENTS, action_message_id, alert_message_id
from vtox.reporting.notification.messages import (
    BODY_MAX_BYTES,
    alarm_message,
    digest_message,
    encode,
    iso,
    trial_message,
)

HOURS = [3600.0 * k for k in range(24)]
LEVELS = [10.0 + 0.2 * k for k in range(24)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_words_for_every_event(language: Language) -> None:
    assert set(catalogue(language).events) == set(EVENTS)


def test_an_id_is_stable_and_has_no_full_stop() -> None:
    raised = Alert(id="M1:bearing:1", machine_id="M1", fault="", level="", event="raised", t=1.5)
    again = replace(raised, code="impacts", reason="said otherwise")
    assert alert_message_id(raised) == alert_message_id(again)
    assert alert_message_id(raised) != alert_message_id(replace(raised, t=2.5))
    ids = (alert_message_id(raised), action_message_id("1764-3"))
    assert not any("." in i for i in ids)


def test_a_message_says_what_and_where_in_the_reader_s_language() -> None:
    silent = replace(
        SYSTEM,
        machine_id="M1",
        fault="silent",
        code="machine_silent",
        level="warning",
        doubts=(reason("silence_duration", silence_s=31.0),),
    )
    english, chinese = alarm_message(silent), alarm_message(silent, "zh")
    for message, language in ((english, "en"), (chinese, "zh")):
        said = render_all(
            [("machine_silent", {}), ("silence_duration", {"silence_s": 31})], language
        )
        assert message["data"]["text"].startswith(f"{said}\n")
    assert english["data"]["title"] == "M1: silent, raised, warning"
    assert chinese["data"]["title"] == "M1: 无数据, 报警, 预警"
    assert "处理建议" in chinese["data"]["text"]
    assert english["data"]["alarm"] | {"reason": "", "what_to_do": ""} == chinese["data"][
        "alarm"
    ] | {"reason": "", "what_to_do": ""}
    assert alarm_message(SYSTEM, page="https://v.example/")["data"]["url"].endswith("e/alarms")


def test_what_an_operator_did_is_in_the_message() -> None:
    order = WorkOrder(system="CMMS", reference="WO-1", url="https://c.example/1")
    action = Action(name="work_order", machine_id="M1", ms=5, by="Ada", work_order=order)
    data = alarm_message(replace(EVENT, name="ordered", action=action))["data"]
    assert data["operator"]["work_order"]["reference"] == "WO-1"
    assert "Work order WO-1 of CMMS, by Ada." in data["text"]
    closed = Action(name="close", machine_id="M1", ms=5, by="Ada", outcome="false_alarm", text="ok")
    said = alarm_message(replace(EVENT, name="closed", action=closed))["data"]["text"]
    assert said == "Closed as false alarm by Ada. ok"


@pytest.mark.parametrize(
    ("assignee", "said"),
    [("Bob", "Assigned to Bob by Ada."), ("", "Assigned to nobody by Ada.")],
)
def test_who_is_assigned_is_in_the_message(assignee: str, said: str) -> None:
    action = Action(name="assign", machine_id="M1", ms=5, by="Ada", text=assignee)
    assert alarm_message(replace(EVENT, name="assigned", action=action))["data"]["text"] == said


@pytest.mark.parametrize("character", ["x", "文", "\x01", "\U0001f600"])
def test_no_message_is_larger_than_its_limit(character: str) -> None:
    long = character * 5000
    action = Action(name="comment", machine_id=long, ms=5, by="Ada", text=long)
    e = replace(
        EVENT,
        name="commented",
        machine_id=long,
        fault=long,
        reason=long,
        alarm_id=long,
        action=action,
        values={long: long},
    )
    message = alarm_message(e)
    assert len(encode(message)) <= BODY_MAX_BYTES
    digest = digest_message([message] * 500, 7)
    assert len(encode(digest)) <= BODY_MAX_BYTES
    assert orjson.loads(encode(digest))["data"]["count"] == 500


def test_a_digest_has_each_event_and_counts_the_rest() -> None:
    digest = digest_message([alarm_message(EVENT)] * 40, 7, page="https://v.example")
    data = digest["data"]
    assert (digest["type"], data["count"], len(data["events"])) == ("digest", 40, 30)
    assert data["text"].endswith("and 10 more")
    assert data["events"][0]["alarm_id"] == EVENT.alarm_id


@pytest.mark.parametrize(
    ("language", "title"), [("en", "4 alarms cleared"), ("zh", "4 条报警已恢复")]
)
def test_a_digest_of_ends_says_so_in_its_title(language: Language, title: str) -> None:
    end = alarm_message(replace(EVENT, name="cleared"), language)
    assert digest_message([end] * 4, 7, language)["data"]["title"] == title
    mixed = digest_message([end, alarm_message(EVENT, language)], 7, language)
    assert mixed["data"]["title"] != title


def test_a_time_that_is_none_is_no_error() -> None:
    assert iso(1e300) == iso(float("nan")) == ""
    assert iso(0) == "1970-01-01T00:00:00.000Z"
    assert trial_message(0)["type"] == "test"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_says_whether_its_alarm_grows(language: Language) -> None:
    grows = growth(0.0, HOURS, LEVELS, "BPFO", "over_chance")
    data = alarm_message(EVENT, language, growth=grows)["data"]
    assert data["alarm"]["growth"]["course"] == "rising"
    assert data["alarm"]["growth"]["now_db"] == grows.now_db
    assert render(grows.why.code, grows.why.values, language) in data["text"]
    few = growth(0.0, HOURS[:3], LEVELS[:3])
    assert alarm_message(EVENT, language, growth=few)["data"]["alarm"]["growth"]["now_db"] is None
    assert alarm_message(EVENT, language)["data"]["alarm"]["growth"] is None
