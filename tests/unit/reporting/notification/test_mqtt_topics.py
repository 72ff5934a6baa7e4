"""Topics of MQTT and their messages, and settings that a rule must not have for such a target."""

import json
from dataclasses import replace

import pytest

from tests.broken_entries import TEXTS
from tests.integration.reporting.notification.conftest import rules_of
from vtox.motor.alarms.health.alert_values import Seen
from vtox.motor.alarms.health.assessment import Assessment, FaultAssessment
from vtox.motor.values.energy import MeterCounts
from vtox.pipeline.store.machines.energy import Meter
from vtox.pipeline.store.machines.fleet import FleetMachine
from vtox.reporting.notification.messages import NAME_MAX, trial_message
from vtox.reporting.notification.mqtt_topics import (
    discovery_message,
    energy_message,
    publication,
    state_message,
    system_message,
)

SOUND = Assessment(5.0, 99.0, "normal", {"bearing": FaultAssessment("normal", last="normal")})
SEEN = replace(
    SOUND,
    faults={
        "bearing": replace(
            SOUND.faults["bearing"],
            seen=Seen(level="warning", t=4.0, shown=1, judged=1, days=3, of_days=4),
        )
    },
)
MACHINE = FleetMachine("Hall.2:M1", "", "Hall 2", "", SOUND)
PLANT = {"kind": "mqtt", "url": "mqtt://broker"}


def alarm(machine_id: str, fault: str) -> dict[str, object]:
    return {"type": "alarm.raised", "data": {"alarm": {"machine_id": machine_id, "fault": fault}}}


@pytest.mark.parametrize(
    ("message", "topic", "is_kept"),
    [
        (alarm("M1", "bearing"), "p/machines/M1/alarms/bearing", True),
        (alarm("M1", ""), "p/machines/M1/alarms/service", True),
        (alarm("", "workers:bearing"), "p/system/alarms/workers:bearing", True),
        (alarm("M1", "limit:oil_bar:fault"), "p/machines/M1/alarms/limit:oil_bar:fault", True),
        (trial_message(0), "p/test", False),
        (state_message("p", MACHINE, silent=False), "p/machines/Hall.2:M1/state", True),
    ],
)
def test_a_message_has_its_topic(message: dict[str, object], topic: str, is_kept: bool) -> None:
    where, payload, retain = publication("p", message)
    assert (where, retain) == (topic, is_kept)
    assert json.loads(payload)


@pytest.mark.parametrize("name", [n.decode("utf-8", "replace") for n in TEXTS if n])
def test_no_name_makes_a_topic_that_brokers_refuse(name: str) -> None:
    for message in (alarm(name[:NAME_MAX], "bearing"), alarm("M1", name[:NAME_MAX])):
        topic = publication("p", message)[0]
        assert topic.isascii()
        assert topic.isprintable()
        assert topic.count("/") == 4
        assert not set("+#") & set(topic)
        assert len(topic) < 1 << 16


def test_what_is_no_more_is_taken_away() -> None:
    assert publication("p", {"topic": "p/machines/M1/state", "payload": None})[1] == b""


def test_a_silent_machine_is_no_longer_normal() -> None:
    payload = state_message("p", MACHINE, silent=True)["payload"]
    assert (payload["state"], payload["ne107"]) == ("unknown", "check_function")


def test_a_fault_that_is_only_seen_is_said_and_the_status_stays() -> None:
    sent = state_message("p", replace(MACHINE, health=SEEN), silent=False)["payload"]
    sound = state_message("p", MACHINE, silent=False)["payload"]
    assert sent == sound | {"seen": ["bearing"]}
    assert system_message("p", {"normal": 2}, 0, 1, 0)["payload"]["seen"] == 1


def test_of_energy_nothing_is_said_before_something_was_counted() -> None:
    assert energy_message("p", "M1", Meter()) is None


def test_energy_that_is_not_measured_is_null() -> None:
    """Home Assistant shows null as unknown."""
    for ms, kwh in ((0, None), (1000, 0.0)):
        sent = energy_message("p", "M1", Meter(MeterCounts(observed_ms=1000, powered_ms=ms), 5.0))
        assert sent is not None
        assert sent["payload"]["energy_kwh"] == kwh


def test_no_two_machines_have_one_device() -> None:
    ids = ("M.1", "M:1", "M_1", "M-1")
    topics = {discovery_message("ha", "p", FleetMachine(m, "", "", "", None))["topic"] for m in ids}
    assert len(topics) == len(ids)


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "http://broker"},
        {"url": "mqtt://user:secret@broker"},
        {"prefix": "a/#"},
        {"prefix": "/a"},
        {"prefix": ""},
        {"secret_env": "X"},
    ],
)
def test_an_impossible_target_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"targets\.plant"):
        rules_of({"plant": PLANT | changed})


@pytest.mark.parametrize("waits", [{"digest": "07:00"}, {"unacknowledged_min": {"fault": 5}}])
def test_what_is_now_is_not_put_off(waits: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no quiet hours and no digest"):
        rules_of({"plant": PLANT}, {"targets": ["plant"], **waits})
