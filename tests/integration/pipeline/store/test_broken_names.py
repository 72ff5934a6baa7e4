"""Invalid names, and damaged rows of the system, keep no reader from the others."""

import json

import pytest

from tests.broken_entries import TEXTS
from tests.integration.api.test_machines import commit_health
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.alarms.open_alerts import open_alerts
from vtox.pipeline.store.ledger.absent_processes import absent_processes
from vtox.pipeline.store.ledger.refusals import summarise
from vtox.pipeline.store.machines.followed_fleet import FollowedFleet
from vtox.pipeline.store.machines.machines import arrivals_since, last_arrivals, register
from vtox.pipeline.store.server.client import Client, server_time

NO_NAMES = (b"", b"\xff\xfe", b"a b", b"a/b", b"+", b"\x00", b"x" * 65)


@pytest.fixture
def strangers(client: Client) -> Client:
    register(client, "M1", Motor())
    commit_health(client, "M1", bearing="warning")
    now = server_time(client)
    client.zadd(keys.MACHINES, dict.fromkeys(NO_NAMES, now) | {"M1": now})
    client.zadd(keys.FLEET_CHANGES, dict.fromkeys(NO_NAMES, 10))
    client.sadd(keys.OPEN_ALERTS, *(n + b"|bearing" for n in NO_NAMES), *NO_NAMES)
    return client


def test_the_fleet_has_the_machines_alone(strangers: Client) -> None:
    followed = FollowedFleet(strangers, 30.0)
    followed.look()
    assert followed.machines.keys() == {"M1"}
    assert last_arrivals(strangers).keys() == arrivals_since(strangers, 1.0).keys() == {"M1"}


def test_open_alerts_are_read_next_to_names_that_are_none(strangers: Client) -> None:
    assert {a.machine_id for a in open_alerts(strangers)} <= {"M1"}


def test_damaged_rows_of_refusals_are_forgotten(client: Client) -> None:
    client.hset(keys.REFUSALS, mapping={b"x%d" % n: text for n, text in enumerate(TEXTS)})
    summarise(client)
    assert client.hlen(keys.REFUSALS) == 0


# The fields of a reason in a row; another version may leave one out, or write it as a number.
REFUSED = {"windows": 2, **dict.fromkeys(("first", "last", "machine", "reason", "seq"), "1")}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("value", [{}, []])
def test_a_row_of_refusals_without_one_of_its_values_is_forgotten(
    client: Client, name: str, value: object
) -> None:
    row = {"since": 0, "bytes": 1, "more": {"bad_rate": REFUSED | {name: value}}}
    client.hset(keys.REFUSALS, "V1", json.dumps(row))
    summarise(client)
    assert client.hlen(keys.REFUSALS) == client.xlen(keys.DEAD_LETTERS) == 0


def test_damaged_reports_of_hosts_are_passed_over(client: Client) -> None:
    rows = {b"x%d" % n: text for n, text in enumerate(TEXTS)} | {b"\xff": b"\xff"}
    good = {b"h": b'{"t": 5, "problems": {"flower": "no password"}}'}
    assert [p.host for p in absent_processes(rows | good, 5.0)] == ["h"]
