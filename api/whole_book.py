"""The alarm book of all servers that share the machines, for reading: each changes its own."""

import threading
from collections.abc import Sequence

from vtox.alarms.book import Book


class WholeBook:
    """Puts the books of several servers together; safe between the threads that serve requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: Sequence[Book] = ()
        self._book = Book()

    def book(self, parts: Sequence[Book]) -> Book:
        """Return the book: the same object until one of the parts is another one."""
        if len(parts) == 1:
            return parts[0]
        with self._lock:
            if len(parts) != len(self._parts) or any(
                new is not old for new, old in zip(parts, self._parts, strict=True)
            ):
                self._parts, self._book = parts, Book()
                for part in parts:
                    for alarm in part.alarms.values():
                        self._book.put(alarm)
                    self._book.shelved |= part.shelved
                    self._book.out_of_service |= part.out_of_service
            return self._book
