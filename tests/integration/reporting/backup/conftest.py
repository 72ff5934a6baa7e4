"""A system with one of everything, its backup, and an empty system to restore it into."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import select

from tests.conftest import wipe
from tests.integration.helpers import add_window
from tests.integration.pipeline.store.test_alarm_book import action
from tests.integration.reporting.history.entries import add_alert, add_result
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Motor
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.alarms import alarm_book
from vtox.pipeline.store.alarms.alarm_book import act
from vtox.pipeline.store.alarms.open_alerts import open_alerts
from vtox.pipeline.store.machines import machine_states, machines
from vtox.pipeline.store.machines.baselines import set_baseline, stored_baseline
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream import evidence
from vtox.pipeline.store.system import apikeys, audit
from vtox.pipeline.store.system.audit import Actor
from vtox.reporting.backup.saving import save
from vtox.reporting.history import database, schema
from vtox.reporting.history.recorder import Recorder

MOTOR = Motor(pole_pairs=2, supply_hz=50.0, rated_speed_rpm=1450)
RECORD = "bearing|M1|1-0"
TABLES = (schema.series, schema.outcomes, schema.records, schema.alerts, schema.baselines)
TABLES += (schema.alarm_actions,)
# An open alert, as a worker keeps it; and a byte that is no UTF-8, as damage may leave it.
ALERT = {"marks": "w", "starts": [1.0], "level": "warning", "alert": "M1:bearing:1"}
MEMORY = {"memory": json.dumps({"faults": {"bearing": ALERT}}), "damaged": b"\xff\x00"}


@pytest.fixture(scope="session")
def server(
    clean_environment: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedServer]:
    """One that no service of other tests is connected to: a running system is not restored."""
    with EmbeddedServer(load(data_dir=tmp_path_factory.mktemp("server"))) as running:
        yield running


@dataclass(frozen=True)
class Saved:
    """A backup, a key that signed in at its time, and the state of the system then."""

    path: Path
    key: str
    state: dict[str, Any]


def state_of(client: Client, settings: Settings) -> dict[str, Any]:
    """Return the state that a restore must bring back, read as the programs read it."""
    return {
        "states": machine_states.load_states(client, ["M1", "M2"]),
        "baseline": stored_baseline(client, "M1"),
        "fields": client.hgetall(keys.machine("M1")),
        "arrivals": machines.last_arrivals(client),
        "keys": apikeys.list_keys(client),
        "uses": apikeys.last_uses(client),
        "evidence": [(w.record, w.npz()) for w in evidence.newest_first(client)],
        "alerts": open_alerts(client),
        "events": client.xrange(keys.ALERTS),
        "alarms": alarm_book.advance(client),
        "actions": client.xrange(keys.ALARM_ACTIONS),
        "audit": client.xrange(keys.AUDIT),
        "history": history_of(settings),
    }


def history_of(settings: Settings) -> dict[str, list[Any]]:
    """Return the rows of the history."""
    engine = database.engine_to_read(settings)
    with engine.connect() as db:
        rows = {t.name: sorted(tuple(r) for r in db.execute(select(t))) for t in TABLES}
    engine.dispose()
    return rows


def record_history(client: Client, settings: Settings) -> None:
    """Record new entries, as `vtox recorder` does."""
    recorder = Recorder(client, settings)
    recorder.record(Event())
    recorder.close()


def fill(client: Client, settings: Settings) -> str:
    """Put one of everything into a system; return an API key of it."""
    for m in ("M1", "M2"):
        machines.register(client, m, MOTOR)
    for _ in range(2):
        set_baseline(client, "M1", Baseline().to_json())
    client.hset(keys.machine("M1"), mapping=MEMORY)
    client.sadd(keys.OPEN_ALERTS, "M1|bearing")
    text, made = apikeys.create(client, ["read"], "Zoë")
    apikeys.note_use(client, made.id)
    for seq in (3, 4):
        entry = add_window(client, "M1", seq)
        client.xadd(keys.EVIDENCE, {"record": RECORD} | client.xrange(keys.RAW, entry, entry)[0][1])
    now = server_time(client)
    for i in range(5):
        add_result(client, now - 10 + i, statistic=float(i))
    alarm_book.advance(client)
    add_alert(client, now)
    act(client, action())
    audit.write(client, Actor(by="Zoë").deed("signed_in"))
    record_history(client, settings)
    return text


@pytest.fixture
def saved(client: Client, settings: Settings, tmp_path: Path) -> Saved:
    """The backup of a full system."""
    key, path = fill(client, settings), tmp_path / "b.tar.gz"
    save(client, settings, path)
    return Saved(path, key, state_of(client, settings))


@pytest.fixture
def empty(saved: Saved, settings: Settings, tmp_path: Path) -> Settings:
    """Settings of an empty system: a server without a key of ours, another folder."""
    wipe(settings.working_url())
    return settings.model_copy(update={"data_dir": tmp_path / "new"})
