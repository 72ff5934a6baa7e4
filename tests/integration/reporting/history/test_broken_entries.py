"""The recorder skips unreadable entries, in every stream, and records those behind them."""

from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.broken_entries import broken
from tests.integration.helpers import add_window
from tests.integration.pipeline.store.test_alarm_book import ALARM
from tests.integration.reporting.history.entries import (
    add,
    add_alert,
    add_assessment,
    add_metrics,
    add_result,
)
from vtox.motor.alarms.book import Action
from vtox.motor.alarms.work_orders import WorkOrder
from vtox.motor.values.codec import RawFields
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.alarm_actions import encode_action
from vtox.pipeline.store.machines.points import POINTS_OF, Point, points_of_result
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.system.status import snapshot
from vtox.reporting.history.database import engine_to_read
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.history.schema import alerts, positions, series


def add_action(client: Client, t: float) -> str:
    order = WorkOrder(system="CMMS", reference="WO-1", url="https://cmms.example/1")
    about = {"alarm_id": ALARM, "machine_id": "M1", "fault": "bearing", "key_id": "k", "text": "t"}
    told = {"until_ms": 5, "outcome": "confirmed", "work_order": order, "request_id": "r"}
    action = Action(name="comment", ms=round(1000 * t), by="Ada", **about, **told)
    return add(client, keys.ALARM_ACTIONS, encode_action(action))


def add_letter(client: Client, t: float) -> str:
    fields = {"stream_id": "5-0", "machine_id": "M1", "seq": "9", "family": "bearing", "t": t}
    fields |= {"code": "bad_length", "reason": "ia: 3 bytes", "attempts": 1, "windows": 2}
    return str(client.xadd(keys.DEAD_LETTERS, fields | {"entry.ia": b"\0"}).decode())


def add_waveform(client: Client, t: float) -> str:
    """Add a window with its own record that is kept as evidence."""
    entry_id = add_window(client, "M1", t0=t)
    ((_, fields),) = client.xrange(keys.RAW, entry_id, entry_id)
    record = {"record": f"bearing|M1|{entry_id}"}
    return str(client.xadd(keys.EVIDENCE, record | fields).decode())


EVIDENCE = ({"kind": "line", "lower_dbc": -50.0, "upper_dbc": -51.0},)
GOOD: dict[str, Callable[[Client, float], Any]] = {
    keys.RESULTS: lambda c, t: add_result(
        c, t, fault="eccentricity", evidence=EVIDENCE, marks="n", confidence=0.5
    ),
    keys.ASSESSMENTS: lambda c, t: add_assessment(c, t, 75.0),
    keys.METRICS: lambda c, t: add_metrics(c, t, throughput=5.0, busy={"bearing": 0.5}),
    keys.ALERTS: lambda c, t: add_alert(c, t, values={"defects": ("BPFO",), "speed_rpm": 1450.0}),
    keys.ALARM_ACTIONS: add_action,
}


RECORDED = tuple(GOOD)
GOOD |= {keys.DEAD_LETTERS: add_letter, keys.EVIDENCE: add_waveform}


@pytest.mark.parametrize("stream", RECORDED)
def test_no_entry_of_a_stream_stops_the_recorder(
    recorder: Recorder, client: Client, settings: Settings, stream: str
) -> None:
    now = server_time(client)
    GOOD[stream](client, now)
    ((_, good),) = client.xrange(stream)
    for fields in broken(good):
        client.xadd(stream, fields)
    add_result(client, now, machine_id="LAST")
    add_alert(client, now, machine_id="LAST")
    last = GOOD[stream](client, now)
    assert recorder.try_once(Event()), recorder.problem
    engine = engine_to_read(settings)
    with engine.begin() as db:
        assert db.scalar(select(func.count()).where(series.c.machine_id == "LAST")) == 1
        assert db.scalar(select(func.count()).where(alerts.c.machine_id == "LAST")) == 1
        assert db.scalar(select(positions.c.entry_id).where(positions.c.stream == stream)) == last
    engine.dispose()


def test_what_cannot_be_read_is_passed_over_and_counted(
    recorder: Recorder, client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = server_time(client)
    bad = [add_result(client, now, machine_id="BAD") for _ in range(2)]
    add_result(client, now, machine_id="LAST")

    def fail_on_some(entry_id: bytes, fields: RawFields) -> Iterator[Point]:
        if entry_id.decode() in bad:
            raise RecursionError
        return points_of_result(entry_id, fields)

    monkeypatch.setitem(POINTS_OF, keys.RESULTS, fail_on_some)
    for _ in range(2):
        assert recorder.try_once(Event()), recorder.problem
    assert snapshot(client).unreadable == {"recorder": 2}
    engine = engine_to_read(settings)
    with engine.begin() as db:
        assert db.scalars(select(series.c.machine_id)).all() == ["LAST"]
    engine.dispose()
