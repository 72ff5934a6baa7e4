"""Treatment of an entry that cannot be read, and errors that are no fault of the entry."""

import sqlite3

import pytest
import redis

from vtox.motor.errors import WireError
from vtox.pipeline.errors import LedgerRowError, ServerUnavailable
from vtox.pipeline.store.stream.unreadable import (
    MAX_REASON,
    UNREADABLE,
    Unreadable,
    read,
    read_each,
    read_or_none,
)


def raising(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WireError("bad_rate", "fs_hz: 1"), "bad_rate"),
        (LedgerRowError("damaged_row", "no JSON"), "damaged_row"),
        (RecursionError("too deep"), UNREADABLE),
        (OverflowError("1e400"), UNREADABLE),
        (MemoryError(), UNREADABLE),
        (sqlite3.DataError("too big"), UNREADABLE),
        (redis.ResponseError("WRONGTYPE Operation against a key holding"), UNREADABLE),
        (KeyError("\ud800" * 9999), UNREADABLE),
    ],
)
def test_whatever_is_raised_is_a_refusal_with_a_code(error: Exception, code: str) -> None:
    refused = read(raising, error)
    assert isinstance(refused, Unreadable)
    assert refused.code == code
    assert len(refused.reason.encode()) <= 2 * MAX_REASON
    assert read_or_none(raising, error) is None


@pytest.mark.parametrize(
    "error",
    [
        redis.ConnectionError(),
        redis.ResponseError("MISCONF"),
        sqlite3.OperationalError("database or disk is full"),
        sqlite3.DatabaseError("database disk image is malformed"),
        OSError(28, "No space left on device"),
        ServerUnavailable("no answer"),
    ],
)
def test_trouble_of_server_or_disk_is_raised(error: Exception) -> None:
    with pytest.raises(type(error)):
        read(raising, error)


def test_the_others_of_a_portion_are_read() -> None:
    entries = [(b"%d-0" % n, {b"n": text}) for n, text in enumerate((b"1", b"x", b"3"))]
    values, skipped = read_each(entries, lambda _, fields: int(fields[b"n"]))
    assert values == [(b"0-0", 1), (b"2-0", 3)]
    assert [(entry_id, u.code) for entry_id, u in skipped] == [(b"1-0", UNREADABLE)]
