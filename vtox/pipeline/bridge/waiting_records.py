"""Complete records of one family that are not dispatched yet: its batch fills, or it has no room.

Pure. Only names and ids: about 0.5 kB a window.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from vtox.motor.values.domain import Record
from vtox.pipeline.bridge.record_joiner import NamedRecord


@dataclass(slots=True)
class WaitingRecords:
    """In the order in which they wait; `since` is when the next batch began to fill.

    A batch that is not full waits for `wait_s`.
    """

    wait_s: float
    since: float = 0.0
    windows: int = 0
    # Each with its time of arrival.
    _records: dict[str, tuple[float, Record]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record_id: str, record: Record, now: float) -> None:
        """Append a record."""
        if not self._records:
            self.since = now
        self._records[record_id] = now, record
        self.windows += record.windows

    def due_in_s(self, now: float) -> float:
        """Return for how long the next batch may go on filling; 0 or less: it has waited enough."""
        return self.since + self.wait_s - now

    def remove(self, batch: Iterable[NamedRecord]) -> None:
        """Remove records that are dispatched."""
        for record_id, record in batch:
            del self._records[record_id]
            self.windows -= record.windows

    def fitting(self, windows: int, size_bytes: int) -> list[NamedRecord]:
        """Return the first records, as many as there is room for; the last one may exceed it."""
        found = []
        for record_id, (_, record) in self._records.items():
            if windows <= 0 or size_bytes <= 0:
                break
            found.append((record_id, record))
            windows -= record.windows
            size_bytes -= record.bytes
        return found

    def longest_s(self, now: float) -> float | None:
        """Return the time for which the first record has waited.

        Its windows may be older: a record of a machine that pauses is complete once it was silent
        for a while, and no window was late.
        """
        first = next(iter(self._records.values()), None)
        return None if first is None else now - first[0]

    def entry_ids(self) -> Iterator[str]:
        """Yield the entries of all records."""
        for _, record in self._records.values():
            yield from record.ids.split()
