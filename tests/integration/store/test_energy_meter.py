"""The meter of a machine: counted with the commit of a record, once, whatever is repeated."""

from dataclasses import replace

import pytest

from tests.integration.store.test_ledger import TOKEN, deliver, outcome, record
from vtox import keys
from vtox.configuration.settings import Settings
from vtox.store.ledger.ledger import CHANGED, COMMITTED, GONE, Ledger
from vtox.store.machines.energy import meters
from vtox.store.machines.machines import retire
from vtox.store.server.client import Client
from vtox.store.stream.window_log import create_group
from vtox.values.energy import NOTHING, MeterCounts, counts_text


@pytest.fixture
def ledger(client: Client, settings: Settings) -> Ledger:
    create_group(client, keys.RAW)
    ledger = Ledger(client, settings)
    assert ledger.take_lease(TOKEN, "", 60_000)
    return ledger


SECOND = MeterCounts(observed_ms=1000, powered_ms=1000, energy_j=2**40, starts=1)


def test_a_record_that_comes_twice_counts_once(client: Client, ledger: Ledger) -> None:
    r = record(deliver(client, 1))
    ledger.dispatch(TOKEN, "turn_short", [r])
    found = replace(outcome("turn_short", r), energy=counts_text(SECOND))
    assert ledger.commit("turn_short", [found]) == [COMMITTED]
    assert ledger.commit("turn_short", [found]) == [GONE]
    (meter,) = meters(client, ["V001"])
    assert meter.counts == SECOND
    assert meter.since_t is not None


def test_a_commit_on_an_old_state_counts_nothing_until_it_is_made_again(
    client: Client, ledger: Ledger
) -> None:
    r = record(deliver(client, 1))
    ledger.dispatch(TOKEN, "turn_short", [r])
    found = replace(outcome("turn_short", r, 5), energy=counts_text(SECOND))
    assert ledger.commit("turn_short", [found]) == [CHANGED]
    assert meters(client, ["V001"])[0].counts == NOTHING
    assert ledger.commit("turn_short", [replace(found, version="0")]) == [COMMITTED]
    assert meters(client, ["V001"])[0].counts == SECOND


def test_a_meter_goes_on_where_it_was(client: Client, ledger: Ledger) -> None:
    total = NOTHING
    for n in range(3):
        r = record(deliver(client, 1))
        ledger.dispatch(TOKEN, "turn_short", [r])
        counts = SECOND._replace(energy_j=n - 1)
        found = replace(outcome("turn_short", r, n), energy=counts_text(counts))
        assert ledger.commit("turn_short", [found]) == [COMMITTED]
        total = total.plus(counts)
    assert meters(client, ["V001"])[0].counts == total


def test_a_retired_machine_has_no_meter(client: Client, ledger: Ledger) -> None:
    r = record(deliver(client, 1))
    ledger.dispatch(TOKEN, "turn_short", [r])
    retire(client, "V001")
    found = replace(outcome("turn_short", r), energy=counts_text(SECOND))
    assert ledger.commit("turn_short", [found]) == [COMMITTED]
    assert meters(client, ["V001"])[0].counts == NOTHING
