"""The record behind a diagnosis, while the raw stream still has its windows."""

from dataclasses import dataclass

from vtox.motor.values.domain import Record, Recording
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.partition_table import Addresses
from vtox.pipeline.store.stream import windows
from vtox.pipeline.store.stream.entries import Result
from vtox.pipeline.windows.wire import Fields, Limits


@dataclass(frozen=True, slots=True)
class _LatestRecord:
    """One diagnosed record: its windows as they were sent."""

    record: str
    entries: list[Fields]

    @property
    def recording(self) -> Recording:
        """The samples."""
        return windows.joined_windows(self.entries)


def record_of(client: Client, result: Result) -> _LatestRecord | None:
    """Return the record that a result is of, None if windows of it have left the stream."""
    first, last = result.first_seq, result.last_seq
    start, end = result.t_start, result.t_end
    if first is None or last is None or start is None or end is None or not result.family:
        return None
    found: dict[int, str] = {}
    marks = client.hgetall(keys.known_windows(result.machine_id))
    for mark, value in marks.items():
        run, seq, start_us, replay_of = mark.decode().rsplit("|", 3)
        entry_id, restart, n = value.decode().partition("#")
        inside = start - 1 <= int(start_us) / 1e6 <= end + 1
        of_run = f"{run}{restart}{n}" == result.run and not replay_of
        if of_run and first <= int(seq) <= last and inside:
            found[int(seq)] = entry_id
    if sorted(found) != list(range(first, last + 1)):
        return None
    record = Record(
        machine_id=result.machine_id,
        run=result.run,
        first_seq=first,
        last_seq=last,
        t_start=start,
        t_end=end,
        ids=" ".join(found[seq] for seq in sorted(found)),
        windows=len(found),
        bytes=len(found) * Limits().max_bytes,  # at most
    )
    raw = Addresses(client).raw(result.machine_id)
    entries = windows.entries_of(client, raw, record)
    # If the machine has changed its partition, the ids lead to windows of others or to none.
    if not entries or any(e.get(b"machine_id") != result.machine_id.encode() for e in entries):
        return None
    return _LatestRecord(record.record_id(result.family), entries)
