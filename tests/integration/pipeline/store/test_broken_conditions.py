"""No row of a condition of the system keeps the monitor, or a list of alarms, from the others."""

import pytest

from tests.broken_entries import JSON, TEXTS, broken_tables
from vtox.motor.values.domain import reason
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.alarms.open_alerts import open_alerts
from vtox.pipeline.store.alarms.system_alarms import Condition, condition_names, keep
from vtox.pipeline.store.server.client import Client

WHY = reason("machine_silent")
FORGET_S = 60.0


def keep_all(client: Client, names: list[str], *, holds: bool) -> None:
    for name in names:
        keep(client, Condition(name=name, holds=holds, why=WHY), FORGET_S)


@pytest.fixture
def names(client: Client) -> list[str]:
    """Conditions whose rows are damaged, and GOOD behind them."""
    assert keep(client, Condition(name="GOOD", holds=True, why=WHY), FORGET_S) == "raised"
    good = client.hget(keys.ALARMS, "GOOD")
    rows = {f"x{n}": x for n, x in enumerate((*TEXTS, *JSON, *broken_tables(good)))}
    client.hset(keys.ALARMS, mapping={**rows, b"\xff": b"\xff"})
    return [*rows, "GOOD"]


def test_damaged_conditions_are_passed_over(client: Client, names: list[str]) -> None:
    assert "GOOD" in condition_names(client)[1]
    assert "GOOD" in {a.fault for a in open_alerts(client)}


def test_damaged_conditions_are_kept_again(client: Client, names: list[str]) -> None:
    for holds in (True, False):
        keep_all(client, names, holds=holds)
    assert condition_names(client)[1] <= {"\ufffd"}
