"""The test of MQTT: its demands on a subscriber, and the processes that its schedule disturbs."""

from collections import Counter
from typing import Any

from faults.plant import KINDS, differing, mqtt, out_of_order
from faults.tests import SEEDS

STATE = {"state": "warning", "health": 60.0, "silent": False}
API = {"machine_id": "M1", **STATE, "faults": {"bearing": "warning"}}


def held(**changed: Any) -> dict[str, Any]:
    faults = {"bearing": {"state": "warning", "code": "x"}}
    return {"M1": {**STATE, "faults": faults} | changed}


def test_a_retained_state_must_be_there_and_say_the_same() -> None:
    assert differing([API], held()) == []
    assert differing([API], held(state="normal")) == ["M1"]
    assert differing([API], held(faults={})) == ["M1"]
    assert differing([API], {}) == ["M1"]


def test_events_of_a_machine_may_come_again_but_not_too_early() -> None:
    one, two, other = (("a1", e, "warning") for e in ("raised", "cleared", "escalated"))
    sent = [("M1", one), ("M2", other), ("M1", two)]
    assert out_of_order(sent, [one, one, two, other, one]) == []
    assert out_of_order(sent, [two, other, one, two]) == ["M1"]


def test_gateway_notifier_and_broker_are_disturbed_by_every_seed() -> None:
    for seed in SEEDS["mqtt"]:
        made = mqtt(seed).schedule
        assert Counter(d.kind for d in made) == dict.fromkeys(KINDS, 2)
        assert {d.target for d in made if d.kind in ("kill", "term")} == {
            "gateway",
            "notifier",
            "broker",
        }
