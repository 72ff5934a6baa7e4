"""The meter of a machine: counted with the commit of a record, once, even if it is repeated."""

from collections.abc import Iterator, Sequence

import pytest

from tests.integration.helpers import add_window, bridging, counters, eventually
from tests.naive_entries import counts_text
from vtox.motor.diagnosis.diagnosis import DiagnosisInput
from vtox.motor.faults import METERED
from vtox.motor.values.domain import Answer
from vtox.motor.values.energy import NOTHING, MeterCounts, MeterRow, counts_of
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.ledger.ledger import CHANGED, Ledger
from vtox.pipeline.store.ledger.outcomes import Outcome
from vtox.pipeline.store.machines.energy import meters
from vtox.pipeline.store.machines.machines import retire
from vtox.pipeline.store.server.client import Client
from workers import batch
from workers.celery_signals import process

SECOND = MeterCounts(observed_ms=1000, powered_ms=1000, energy_j=2**40, reactive_vars=-3, starts=1)


def answers(cases: Sequence[DiagnosisInput], faults: Sequence[str]) -> list[list[Answer]]:
    """Each record of turn_short adds `SECOND`."""
    rows = [MeterRow(counts=MeterCounts.pack(SECOND)) if f == METERED else None for f in faults]
    said = ("normal", "x", {}, (), "", 0.0, 1.0, None, None, {}, ())
    return [[Answer(f, *said, row) for f, row in zip(faults, rows, strict=True)] for _ in cases]  # type: ignore[arg-type]


@pytest.fixture
def system(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """A bridge whose tasks are executed at once, by the code of the workers."""
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    monkeypatch.setattr(batch, "answer_batch", answers)
    process.cache_clear()
    hasty = load(redis_url=settings.redis_url, batch_wait_ms=1)
    with bridging(hasty, batch.work):
        yield hasty
    process.cache_clear()


def send(client: Client, seqs: range) -> None:
    """Send windows of a machine and wait for their results."""
    before = counters(client).get("windows:turn_short", 0)
    for k in seqs:
        add_window(client, "M", k)
    eventually(lambda: counters(client).get("windows:turn_short", 0) == before + len(seqs))


def total(records: int) -> MeterCounts:
    return MeterCounts(*(records * n for n in SECOND))


def test_a_meter_is_the_sum_of_its_results(client: Client, system: Settings) -> None:
    send(client, range(5))
    (meter,) = meters(client, ["M"])
    entries = [e for _, e in client.xrange(keys.RESULTS) if b"energy" in e]
    assert [counts_of(e[b"energy"]) for e in entries] == [SECOND] * 5
    assert meter.counts == total(5)
    assert meter.since_t == pytest.approx(client.time()[0], abs=60)


def test_a_meter_goes_on_where_another_worker_left_it(client: Client, system: Settings) -> None:
    """The other one may be of a version that counts more, or of a build that kept text."""
    send(client, range(2))
    since_t = meters(client, ["M"])[0].since_t
    theirs = {"version": "theirs", "meter": counts_text((*total(7), 5))}
    client.hset(keys.machine("M"), mapping=theirs)
    send(client, range(2, 4))
    assert counts_of(client.hget(keys.machine("M"), "meter")) == (*total(9), 5)
    assert meters(client, ["M"])[0].since_t == since_t


def test_a_commit_on_an_old_state_counts_nothing_until_it_is_made_again(
    client: Client, system: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(client, range(1))
    replies: list[int] = []
    commit = Ledger.commit

    def late(ledger: Ledger, family: str, outcomes: Sequence[Outcome], *more: object) -> list[int]:
        if outcomes and not replies:  # another worker commits in between
            theirs = {"version": "theirs", "meter": counts_text(total(7))}
            client.hset(keys.machine("M"), mapping=theirs)
        found = commit(ledger, family, outcomes, *more)  # type: ignore[arg-type]
        replies.extend(found)
        return found

    monkeypatch.setattr(Ledger, "commit", late)
    send(client, range(1, 2))
    assert replies[0] == CHANGED
    assert meters(client, ["M"])[0].counts == total(8)


def test_a_damaged_meter_begins_again(client: Client, system: Settings) -> None:
    client.hset(keys.machine("M"), mapping={"version": "theirs", "meter": "1000 x"})
    send(client, range(1))
    assert meters(client, ["M"])[0].counts == SECOND


def test_a_retired_machine_has_no_meter(client: Client, system: Settings) -> None:
    send(client, range(1))
    retire(client, "M")
    assert meters(client, ["M"])[0].counts == NOTHING
