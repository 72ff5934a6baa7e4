"""The fields of the alarm book."""

from vtox.motor.alarms.book import Book
from vtox.motor.alarms.life import Alarm
from vtox.motor.values.codec import loads
from vtox.pipeline.store.alarms.stored_alarms import changed_fields


def test_fields_with_their_default_are_not_written() -> None:
    book = Book()
    book.put(Alarm(id=":backlog:1000", fault="backlog", level="warning", raised_ms=1, since_ms=1))
    written, _ = changed_fields(Book(), book)
    (table,) = map(loads, written.values())
    assert table.keys() == {"id", "fault", "level", "raised_ms", "since_ms"}
