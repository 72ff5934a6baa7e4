"""A message that a broker does not take is given up, and those behind it go on."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.integration.reporting.history.entries import add_alert
from tests.integration.reporting.notification.conftest import NOTIFY, rules_of
from tests.integration.reporting.notification.test_delivery import raise_alarms, running
from tests.integration.reporting.notification.test_mqtt_out import Held
from tests.mosquitto import Mosquitto, needs_mosquitto, new_broker
from tests.waiting import eventually
from vtox.motor.values.domain import Motor
from vtox.pipeline.store.ledger.heartbeats import TargetState
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client
from vtox.reporting.history.schema import deliveries
from vtox.reporting.notification import outbox_figures
from vtox.reporting.notification.mqtt_target import MqttTargets
from vtox.reporting.notification.notifier import Notifier
from vtox.reporting.notification.rules import Rules

pytestmark = needs_mosquitto
# Why a broker refuses the message about BAD -> the problem that the outbox then has.
REFUSALS = {
    "not_authorized": "mqtt_message_refused Not authorized",
    "too_large": "mqtt_message_refused broken_connection Packet too large",
}


@pytest.fixture
def broker(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Mosquitto]:
    """A broker that does not take one message."""
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite #\ntopic deny plant/vtox/machines/BAD/alarms/#\n")
    options = {"not_authorized": f"acl_file {acl}", "too_large": "max_packet_size 4000"}
    running = new_broker(tmp_path / "mosquitto", options.get(request.param, ""))
    running.start()
    yield running
    running.stop()


@pytest.mark.parametrize(("broker", "refusal"), [(k, k) for k in REFUSALS], indirect=["broker"])
def test_a_message_that_is_refused_blocks_no_other(
    new_notifier: Callable[[Rules], Notifier],
    client: Client,
    broker: Mosquitto,
    refusal: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(NOTIFY, "mqtt", MqttTargets().send)
    quick = {"timeout_s": 2, "retry_first_s": 0.05, "retry_max_s": 0.1}
    plant: dict[str, Any] = {"kind": "mqtt", "url": broker.url, "prefix": "plant/vtox", **quick}
    notifier, held = new_notifier(rules_of({"plant": plant})), Held(broker)
    add_alert(client, 5.0, id="BAD:bearing:5", machine_id="BAD", values={"x": "x" * 3900})
    raise_alarms(client, 1)
    register(client, "M9", Motor())
    topics = {"machines/M0/alarms/bearing", "machines/M9/state", "status"}
    with running(notifier):
        eventually(lambda: topics <= held.topics.keys(), detail=lambda: notifier.problem)
        eventually(lambda: state(notifier).waiting == 0)
    held.close()
    assert state(notifier).dead == 1
    with notifier.reader.connect() as db:
        (error,) = db.scalars(select(deliveries.c.error).where(deliveries.c.state == "dead"))
    assert error == REFUSALS[refusal]


def state(notifier: Notifier) -> TargetState:
    return outbox_figures.target_states(notifier.reader, ["plant"])["plant"]
