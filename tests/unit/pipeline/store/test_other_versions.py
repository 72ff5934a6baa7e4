"""This version reads the stored state of a later one: fields that it does not know are ignored.

After a downgrade nothing stalls: neither records in flight nor the stored state of machines.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import orjson
import pytest

from tests import naive_entries
from tests.unit.pipeline.store.test_entries import RECORD
from vtox.motor.alarms.health.alert_values import Alert, FaultHistory
from vtox.motor.alarms.health.assessment import Assessment, FaultAssessment, Published
from vtox.motor.alarms.health.update import MachineHistory
from vtox.motor.alarms.life import Alarm
from vtox.motor.values import codec
from vtox.motor.values.baseline import Asymmetry, Band, Baseline, Level
from vtox.motor.values.domain import Diagnosis, Motor, reason
from vtox.motor.values.nameplate import motor_to_dict
from vtox.pipeline.store.alarms.system_alarms import Watch
from vtox.pipeline.store.ledger import (
    heartbeats,
    ledger_rows,
)
from vtox.pipeline.store.ledger.heartbeats import (
    Heartbeat,
    HostScaling,
    NotifierHeartbeat,
    RecorderHeartbeat,
    Worker,
)
from vtox.pipeline.store.machines import learning_notes
from vtox.pipeline.store.machines.channel_maps import CHANNEL_MAP
from vtox.pipeline.store.machines.machine_settings import SENSITIVITY, decode_setting
from vtox.pipeline.store.stream import entries
from vtox.pipeline.store.system.apikeys import ApiKey

WHY = reason("ended_by_gap", gap_s=2.0)
ALARM = {"id": "M:bearing:1", "machine_id": "M", "fault": "bearing", "level": "fault", "t": 5.0}
ALARM |= {"raised_ms": 1, "since_ms": 2, "code": "impacts", "values": {"x_hz": 2.0}}
ALARM |= {"work_orders": [{"system": "CMMS", "reference": "1"}]}
ALARM |= {"suspensions": {"shelved": {"ms": 5, "by": "Ada"}}}
NOTE = learning_notes.LearningNote(RECORD, 4.0)
ROWS = ((0j, 0j, 0j),) * 3
ASYMMETRY = Asymmetry(ROWS[0], ROWS, 0.1, 0.1, 8.0, 230.0, 1.0, 9.0, 0j, 5, 2)
BASELINE = Baseline((Band(1.0, 2.0, {"a_db": Level(3, 1.0, 0.1)}),), ASYMMETRY, 3, 30.0)
HISTORY = MachineHistory(
    {
        "bearing": FaultHistory(
            "fault", "impacts", "why", 9.0, level="fault", marks="f", starts=(1.0,)
        )
    },
    Published(8.0, 20.0, "fault"),
)
HEALTH = Assessment(
    5.0, 20.0, "fault", {"bearing": FaultAssessment("fault", 0.5, "fault", "impacts", "why")}
)
RESULT = naive_entries.result(
    "bearing", replace(RECORD, closed=WHY), Diagnosis(fault="bearing", state="unknown", code="x")
)
WATCH = Watch(t=5.0, interval_s=10.0, dead_letters=((1.0, {"poison": 2}),))
SCALING = HostScaling(host="h", pid=7, last_seen_t=5.0, workers=1, least=1, most=2, code="x")
SETTING = {"version": 3, "t": 5.0, "by": "Ada"}
KEY = {
    "id": "k",
    "scopes": ["read"],
    "name": "n",
    "created_t": 1.0,
    "expires_t": None,
    "sha256": "s",
}

# Values kept as JSON: the text, and its decoder.
KEPT: dict[str, tuple[bytes, Callable[[bytes], Any]]] = {
    "ledger row": (
        ledger_rows.record_json(replace(RECORD, closed=WHY)),
        ledger_rows.record_from_json,
    ),
    "note of the learning": (codec.encode([NOTE]), learning_notes.notes_of),
    "latest result": (naive_entries.encode_result(RESULT)[1], entries.decode_result),
    "health": (codec.encode(HEALTH), lambda text: codec.decode(Assessment, text)),
    "memory": (codec.encode(HISTORY), lambda text: codec.decode(MachineHistory, text)),
    "alarm": (orjson.dumps(ALARM), lambda text: codec.decode(Alarm, text)),
    "watch": (codec.encode(WATCH), lambda text: codec.decode_or_none(Watch, text)),
    "scaling": (
        orjson.dumps(asdict(SCALING)),
        lambda text: heartbeats.host_scaling({b"h": text}, 6.0),
    ),
    "nameplate": (
        codec.encode(motor_to_dict(Motor(pole_pairs=2))),
        lambda text: codec.decode(Motor, text),
    ),
    "baseline": (BASELINE.to_json().encode(), lambda text: Baseline.from_json(text.decode())),
    "API key": (codec.encode(KEY), lambda text: codec.decode_or_none(ApiKey, text)),
    "channel map": (
        orjson.dumps(SETTING | {"channels": {"ia": {"channel": "ia", "sign": -1}}}),
        lambda text: decode_setting(text, CHANNEL_MAP),
    ),
    "sensitivity": (
        orjson.dumps(SETTING | {"faults": {"bearing": {"k": 1, "n": 2, "clear": 3}}}),
        lambda text: decode_setting(text, SENSITIVITY),
    ),
    "targets": (
        orjson.dumps({"hook": {"waiting": 3}}),
        lambda text: heartbeats.read(
            NotifierHeartbeat, {b"host": b"h", b"pid": b"7", b"last_seen_t": b"5", b"targets": text}
        ),
    ),
}
# Tables by name, whose names are data: fault, feature, channel, target and the like.
BY_NAME = {"faults", "levels", "channels", "values", "indicators", "suspensions", "targets"}
BY_NAME |= {"finished", "dead_letters"}


def with_later_fields(value: Any, name: str = "") -> Any:
    """Add a field to every table but those by name."""
    if isinstance(value, list):
        return [with_later_fields(v, name) for v in value]
    if not isinstance(value, dict):
        return value
    inner = {k: with_later_fields(v, k) for k, v in value.items()}
    return inner if name in BY_NAME else {**inner, "later": {"v": [2]}}


@pytest.mark.parametrize("name", KEPT)
def test_fields_of_a_later_version_change_nothing(name: str) -> None:
    text, decode = KEPT[name]
    later = orjson.dumps(with_later_fields(json.loads(text), name))
    assert b"later" in later
    assert decode(later) == decode(text)
    assert decode(text), "the good one can be read"


def test_a_stream_entry_of_a_later_version_is_the_same() -> None:
    alert = Alert(
        id="M:bearing:1", machine_id="M", fault="bearing", level="fault", event="raised", t=5.0
    )
    written: tuple[tuple[entries.Texts, Callable[[dict[bytes, bytes]], Any]], ...] = (
        (naive_entries.encode_result(RESULT)[0], entries.decode_result),
        (entries.entry_of(alert), lambda f: codec.decode_fields(Alert, f)),
        (entries.entry_of(HEALTH), lambda f: codec.decode_fields(Assessment, f)),
        (
            entries.entry_of(entries.Metrics(t=5.0)),
            lambda fields: codec.decode_fields(entries.Metrics, fields),
        ),
    )
    for texts, decode in written:
        raw = [x if isinstance(x, bytes) else x.encode() for x in texts]
        fields = dict(zip(raw[::2], raw[1::2], strict=True))
        assert decode({**fields, b"later": b'{"v":2}', b"\xff": b""}) == decode(fields)


@pytest.mark.parametrize("kind", [Worker, RecorderHeartbeat, NotifierHeartbeat])
def test_heartbeats_of_a_later_version_are_read(kind: type[Heartbeat]) -> None:
    beat = {b"name": b"w", b"host": b"h", b"pid": b"7", b"last_seen_t": b"5"}
    assert heartbeats.read(kind, {**beat, b"later": b"x"}) == heartbeats.read(kind, beat)
    assert heartbeats.read(kind, beat)
