"""The alarm book that a process keeps: its reads, and that it agrees with the server."""

from collections.abc import Iterator
from random import Random

import pytest

from tests.integration.pipeline.store.test_alarm_book import ALARM
from tests.integration.reporting.history.entries import add_alert, alert_fields
from vtox.motor.alarms.book import Action, Book
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.alarms import alarm_book
from vtox.pipeline.store.alarms.alarm_book import KeptBook
from vtox.pipeline.store.alarms.stored_alarms import take_field
from vtox.pipeline.store.server.client import Client


@pytest.fixture
def fields_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the fields of the book that were decoded."""
    names: list[str] = []

    def noting(book: Book, name: str, text: bytes | None) -> None:
        names.append(name)
        take_field(book, name, text)

    monkeypatch.setattr(alarm_book, "take_field", noting)
    return names


def raise_alarms(client: Client, count: int, event: str = "raised", first: int = 0) -> None:
    pipe = client.pipeline(transaction=False)
    for i in range(first, first + count):
        texts = alert_fields(5.0, event, machine_id=f"N{i}", id=f"N{i}:bearing:1")
        pipe.execute_command("XADD", keys.ALERTS, "*", *texts)
    pipe.execute()


def test_the_book_is_the_same_object_until_it_changes(client: Client) -> None:
    kept = KeptBook()
    kept.read(client)
    add_alert(client, 5.0)
    book, now_ms = kept.read(client)
    assert ALARM in book.alarms
    assert now_ms > 1_700_000_000_000
    assert kept.read(client)[0] is book
    add_alert(client, 6.0, "cleared")
    assert kept.read(client)[0] is not book
    assert book.alarms[ALARM].active, "who has read the book before sees no change of it"


def test_of_many_alarms_only_the_changed_ones_are_read(
    client: Client, fields_read: list[str]
) -> None:
    kept, others = KeptBook(), KeptBook()
    for book in (kept, others):
        book.read(client)
    raise_alarms(client, 10_000)
    assert len(others.read(client)[0].alarms) == len(kept.read(client)[0].alarms) == 10_000
    fields_read.clear()
    raise_alarms(client, 1, "cleared", first=7)
    assert not others.read(client)[0].alarms["N7:bearing:1"].active
    assert not kept.read(client)[0].alarms["N7:bearing:1"].active
    assert fields_read == ["N7:bearing:1"]


@pytest.mark.parametrize("seed", range(3))
def test_what_is_kept_is_what_is_stored(client: Client, seed: int) -> None:
    random, books = Random(seed), [KeptBook() for _ in range(3)]
    machines = [f"N{i}" for i in range(4)]

    def shelve(book: Book, now_ms: int) -> Iterator[Action]:
        active = [a for a in book.alarms.values() if a.active]
        for a in random.sample(active, min(1, len(active))):
            about = {"alarm_id": a.id, "machine_id": a.machine_id, "fault": a.fault}
            until_ms = now_ms + random.choice((1, 1_000_000))
            yield Action(name="shelve", ms=now_ms, by="Ada", until_ms=until_ms, text="x", **about)

    for step in range(40):
        machine, book = random.choice(machines), random.choice(books)
        match random.randrange(5):
            case 0:
                book.act(client, shelve)
            case 1:
                alarm_book.forget_machines(client, [machine])
            case 2:
                book.read(client, keep=False)
            case _:
                event = random.choice(("raised", "escalated", "cleared"))
                alarm = f"{machine}:bearing:{1 + step // 8}"
                add_alert(client, 5.0, event, machine_id=machine, id=alarm)
                book.read(client)
        found = [b.read(client) for b in (*books, KeptBook())]
        now_ms = found[-1][1]  # a shelving may have ended between two of them
        assert all(b.at(now_ms) == found[-1][0] for b, _ in found), step


def test_a_change_that_nobody_numbered_is_found(client: Client) -> None:
    """Processes of an earlier version make such changes."""
    kept = KeptBook()
    kept.read(client)
    add_alert(client, 5.0)
    kept.read(client)
    client.hdel(keys.ALARM_BOOK, ALARM)
    client.hincrby(keys.ALARM_BOOK, "#version", 1)
    assert kept.read(client)[0].alarms == {}


def test_after_a_lost_connection_the_whole_book_is_read(
    client: Client, fields_read: list[str]
) -> None:
    kept = KeptBook()
    kept.read(client)
    add_alert(client, 5.0)
    kept.read(client)
    assert fields_read == []
    client.connection_pool.disconnect()
    assert ALARM in kept.read(client)[0].alarms
    assert fields_read == [ALARM], "behind it may be a server that has lost its last second"


def test_a_server_that_was_emptied_has_an_empty_book(client: Client) -> None:
    kept = KeptBook()
    kept.read(client)
    add_alert(client, 5.0)
    assert kept.read(client)[0].alarms
    client.unlink(*client.scan_iter())
    assert kept.read(client)[0].alarms == {}
