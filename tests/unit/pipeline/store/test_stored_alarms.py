"""The fields of the alarm book."""

from vtox.motor.alarms.book import Book
from vtox.motor.alarms.life import Alarm
from vtox.motor.values.codec import loads
from vtox.pipeline.store.alarms.stored_alarms import changed_fields


def test_what_an_earlier_build_requires_of_an_alarm_is_written() -> None:
    book = Book()
    book.put(Alarm(id=":backlog:1000", fault="backlog", level="warning", raised_ms=1, since_ms=1))
    written, _ = changed_fields(Book(), book)
    (table,) = map(loads, written.values())
    required = {"id", "machine_id", "fault", "level", "t", "raised_ms", "since_ms"}
    assert table.keys() == required
