"""Open alerts are listed with the event that raises them, and leave the list with the last one."""

from dataclasses import replace

import pytest

from tests.integration.pipeline.store.test_ledger import TOKEN, deliver, record
from tests.integration.pipeline.store.test_retire import with_open_alert
from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.values.domain import Motor, reason
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.flags import AT_ONCE, FlagChange, set_flag, set_flags
from vtox.pipeline.store.alarms.open_alerts import OpenAlerts, list_open_alerts, open_alerts
from vtox.pipeline.store.ledger.ledger import COMMITTED, Ledger
from vtox.pipeline.store.ledger.outcomes import Outcome
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.entries import entry_of
from vtox.pipeline.store.stream.window_log import create_group

FAMILY = "bearing"
RAISED = Alert(
    id="M1:bearing:1764000000000",
    machine_id="M1",
    fault="bearing",
    level="warning",
    event="raised",
    t=1_764_000_000.0,
    code="it_shows",
    reason="it shows",
    values={},
)


def list_members(client: Client) -> set[str]:
    return {m.decode() for m in client.smembers(keys.OPEN_ALERTS)}


@pytest.fixture
def ledger(client: Client, settings: Settings) -> Ledger:
    create_group(client, keys.RAW)
    machines.register(client, "M1", Motor())
    opened = Ledger(client, settings)
    assert opened.take_lease(TOKEN, "", 60_000)
    return opened


def commit(ledger: Ledger, *alerts: Alert) -> None:
    """Commit a record of M1 with these events."""
    row = replace(record(deliver(ledger.client, 1)), machine_id="M1")
    record_id = row.record_id(FAMILY)
    ledger.dispatch(TOKEN, FAMILY, [row])
    ledger.start(FAMILY, [record_id])
    version = ledger.client.hget(keys.machine("M1"), "version") or b"0"
    texts = [entry_of(a) for a in alerts]
    events = [(tuple(t[::2]), t[1::2]) for t in texts]
    outcome = Outcome(record_id, version.decode(), record_id, ((), ()), [], [], events, False)
    assert ledger.commit(FAMILY, [outcome]) == [COMMITTED]


def test_a_commit_lists_the_alert_that_it_raises(ledger: Ledger) -> None:
    commit(ledger)
    assert list_members(ledger.client) == set()
    commit(ledger, RAISED)
    commit(ledger, replace(RAISED, event="escalated", level="fault"))
    assert list_members(ledger.client) == {"M1|bearing"}
    commit(ledger, replace(RAISED, event="cleared"), replace(RAISED, event="cleared", fault="x"))
    assert list_members(ledger.client) == set()


def test_what_a_retired_machine_raises_is_not_listed(ledger: Ledger) -> None:
    machines.retire(ledger.client, "M1")
    commit(ledger, RAISED)
    assert list_members(ledger.client) == set()


def test_flags_are_listed_until_they_are_cleared_or_the_machine_retires(client: Client) -> None:
    for m in ("M1", "M2"):
        machines.register(client, m, Motor())
        set_flag(client, m, "silent", True, reason("machine_silent"))
        set_flag(client, m, "clock", True, reason("clock_off"))
    with_open_alert(client, "M2", "bearing")
    list_open_alerts(client)
    set_flag(client, "M1", "clock", False, reason("clock_right"))
    assert list_members(client) == {"M1|silent", "M2|silent", "M2|clock", "M2|bearing"}
    machines.retire(client, "M2")
    assert list_members(client) == {"M1|silent"}


def test_an_alert_that_was_cleared_without_the_list_is_not_shown(client: Client) -> None:
    machines.register(client, "M1", Motor())
    client.sadd(keys.OPEN_ALERTS, "M1|bearing", "GONE|silent")
    assert open_alerts(client) == []


def test_what_changed_is_read_anew_and_nothing_else(client: Client) -> None:
    for m in ("M1", "M2", "M3"):
        machines.register(client, m, Motor())
        set_flag(client, m, "silent", True, reason("machine_silent"))
    kept = OpenAlerts()
    assert kept.read(client) == open_alerts(client)
    client.hdel(keys.machine("M3"), "silent")
    set_flag(client, "M1", "silent", False, reason("windows_arrive"))
    set_flag(client, "M2", "clock", True, reason("clock_off"))
    seen = {(a.machine_id, a.fault) for a in kept.read(client)}
    assert seen == {("M2", "silent"), ("M2", "clock"), ("M3", "silent")}, "M3 had no event"
    machines.retire(client, "M2")
    assert {a.machine_id for a in kept.read(client)} == {"M3"}


def test_all_is_read_anew_where_events_were_trimmed_meanwhile(client: Client) -> None:
    machines.register(client, "M1", Motor())
    machines.register(client, "M2", Motor())
    set_flag(client, "M1", "silent", True, reason("machine_silent"))
    kept = OpenAlerts()
    assert len(kept.read(client)) == 1
    set_flag(client, "M1", "silent", False, reason("windows_arrive"))
    set_flag(client, "M2", "silent", True, reason("machine_silent"))
    client.xtrim(keys.ALERTS, maxlen=1, approximate=False)
    assert [a.machine_id for a in kept.read(client)] == ["M2"]


def test_flags_of_more_machines_than_fit_in_a_round_trip_are_set_once_each(client: Client) -> None:
    names = [f"M{k}" for k in range(AT_ONCE + 1)]
    for m in names:
        machines.register(client, m, Motor())
    changes = [FlagChange(m, True, (reason("machine_silent"),)) for m in [*names, "GONE"]]
    assert set_flags(client, "silent", changes) == len(names)
    assert set_flags(client, "silent", changes) == 0
    assert {a.machine_id for a in open_alerts(client)} == set(names)
    assert client.xlen(keys.ALERTS) == len(names)
