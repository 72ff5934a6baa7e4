"""The ledger of dispatched records: every change of a record's state is one script on the server.

A row exists from the dispatch until the one commit (or burial) that removes it. A task that runs
twice, late or at the same time as its repetition therefore changes nothing the second time.
"""

import os
import socket
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog

from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import Record
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import LeaseLost
from vtox.pipeline.store.ledger.ledger_rows import record_from_json, record_json
from vtox.pipeline.store.ledger.outcomes import Outcome, Work, commit_arguments
from vtox.pipeline.store.server import scripts
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.counts import add_count, read_count
from vtox.pipeline.store.stream.unreadable import Unreadable, read
from vtox.pipeline.windows.partitions import FIRST, Partition

log = structlog.get_logger()

INDEX = {name: i for i, name in enumerate(FAMILIES, start=1)}
# A record that was started so often without a result is a dead letter.
MAX_ATTEMPTS = 5

# The result for an outcome, in this order: the row was there and is committed; the record was
# finished before; the machine has changed since its state was loaded; an error left it undone, for
# another task.
COMMITTED, GONE, CHANGED, FAILED = 1, 0, 2, 3
# Records in one call of the script that commits, which delays all others meanwhile. On a busy box a
# record of one or two windows takes 0.13 to 0.18 ms of the server, one of ten windows 0.5 ms.
COMMITTED_AT_ONCE = 32


class Ledger:
    """The scripts of one partition of the raw stream, bound to a client."""

    def __init__(self, client: Client, settings: Settings, partition: Partition = FIRST) -> None:
        self.client = client
        self.settings = settings
        self.partition = partition
        shared = ("dispatch", "start", "commit", "bury_record", "report")
        alone = ("lease", "release", "unassigned_entries", "family_progress")
        self._scripts = {n: client.register_script(scripts.source(n, shared=True)) for n in shared}
        self._scripts |= {n: client.register_script(scripts.source(n)) for n in alone}

    def take_lease(self, token: str, previous: str, life_ms: int) -> bool:
        """Take the right to serve this stream; False: another bridge has it.

        Each ownership has its own token, so that a command of an earlier one is refused even if it
        arrives late. `previous` is that of the caller's last ownership, which it may end.
        """
        args = ["take", token, previous, life_ms, os.getpid(), socket.gethostname()]
        return bool(self._scripts["lease"](keys=self._lease_keys, args=args))

    def renew_lease(self, token: str, life_ms: int) -> None:
        """Prolong an ownership.

        Raises `LeaseLost`: it ran out, whether or not another bridge has the lease now.
        """
        args = ["renew", token, "", life_ms, os.getpid(), socket.gethostname()]
        if not self._scripts["lease"](keys=self._lease_keys, args=args):
            raise LeaseLost("the lease ran out")

    def release(self, token: str) -> None:
        """Give the lease back, unless another bridge has it by now."""
        self._scripts["release"](keys=self._lease_keys, args=[token])

    def unassigned(self, after: str, limit: int = 2000) -> tuple[list[str], str]:
        """Return pending entries that some family has not assigned, and where to look on.

        Looks at `limit` pending entries behind the id `after`; the second value is empty at the
        end of the pending list.
        """
        start = f"({after}" if after else "-"
        last, ids = self._scripts["unassigned_entries"](
            keys=[self.partition.raw, self.partition.progress], args=[keys.GROUP, start, limit]
        )
        return [i.decode() for i in ids], last.decode()

    def family_progress(self, entry_ids: Sequence[bytes]) -> dict[bytes, bytes | None]:
        """Return the progress of the families for each entry that is still pending.

        It is the row of progress (`keys.PROGRESS`), None for one that is not admitted yet.
        """
        where = [self.partition.progress, self.partition.raw]
        found = self._scripts["family_progress"](keys=where, args=[keys.GROUP, *entry_ids])
        pairs = zip(entry_ids, found, strict=True)
        return {i: letters or None for i, letters in pairs if letters is not None}

    def dispatch(self, token: str, family: str, rows: Sequence[Record]) -> list[bool]:
        """Enter records; False for one of which an entry is assigned, finished or not admitted.

        Raises `LeaseLost`: `token` no longer holds the lease.
        """
        args: list[Any] = [token, family, INDEX[family]]
        for row in rows:
            args += [row.record_id(family), record_json(row), row.windows, row.bytes, row.ids]
        p = self.partition
        where = [p.lease, p.progress, p.ledger(family), p.due(family), keys.COUNTERS]
        with scripts.fenced():
            return [bool(n) for n in self._scripts["dispatch"](keys=where, args=args)]

    def start(
        self, family: str, record_ids: Sequence[str], token: str | None = None
    ) -> dict[str, Record]:
        """Count a start of each record; return those not finished and not at work elsewhere.

        A start without a report counts as at work until the record would be dispatched again. If
        several workers take copies of one task at once, one starts. `token` names the start: made
        twice, because the first reply was lost, it counts once.
        """
        args = [
            *self._family_args(family),
            MAX_ATTEMPTS,
            2 * self.settings.max_window_bytes,
            token or uuid.uuid4().hex,
            self.settings.redispatch_after_s,
            *record_ids,
        ]
        texts = self._scripts["start"](
            keys=[*self._record_keys(family), keys.DEAD_LETTERS], args=args
        )
        return self._readable(family, dict(zip(record_ids, texts, strict=True)))

    def commit(
        self, family: str, outcomes: Sequence[Outcome], work: Work | None = None
    ) -> list[int]:
        """Commit each outcome on its own; COMMITTED, GONE, CHANGED or FAILED for each record.

        One script for all, at most `COMMITTED_AT_ONCE`: a script for each record took a fifth more
        of the server's time, and twice the worker's.
        """
        where = [
            *self._record_keys(family),
            keys.LATENCY,
            keys.RESULTS,
            keys.ASSESSMENTS,
            keys.ALERTS,
            keys.EVIDENCE,
            keys.MACHINES,
            keys.EVIDENCE_RATE,
            keys.OPEN_ALERTS,
            keys.FLEET,
            keys.FLEET_CHANGES,
            keys.worker(work.worker if work else ""),
            *(keys.machine(o.record_id.split("|")[1]) for o in outcomes),
        ]
        evidence_bytes = self.settings.keep.evidence.nbytes
        args = commit_arguments(self._family_args(family), evidence_bytes, outcomes, work)
        answers: list[int] = []
        for o, reply in zip(outcomes, self._scripts["commit"](keys=where, args=args), strict=True):
            if isinstance(reply, bytes):
                log.error("a record was not committed", record=o.record_id, reason=str(reply))
            answers.append(FAILED if isinstance(reply, bytes) else int(reply))
        return answers

    def bury(self, family: str, record_id: str, code: str, reason: str) -> None:
        """Turn a record that can never be diagnosed into dead letters.

        If its row is too damaged to name its windows, they become pending windows that no record
        holds, which the bridge joins again.
        """
        s = self.settings
        args = [*self._family_args(family), record_id, code, reason, 2 * s.max_window_bytes]
        self._scripts["bury_record"](
            keys=[*self._record_keys(family), keys.DEAD_LETTERS], args=args
        )

    def report(
        self, family: str, record_ids: Sequence[str], token: str, *, interrupted: bool
    ) -> None:
        """Report the start `token` of records as failed, or as interrupted by the server's absence.

        They are due at once; an interrupted start does not count as an attempt.
        """
        where = [self.partition.due(family), self.partition.attempts(family)]
        if record_ids:
            self._scripts["report"](keys=where, args=[token, int(interrupted), *record_ids])

    def make_due(self, family: str, record_ids: Iterable[str]) -> None:
        """Make records due for dispatch now: their task was never sent."""
        due = dict.fromkeys(record_ids, 0.0)
        if due:
            self.client.zadd(self.partition.due(family), due, xx=True)

    def overdue(
        self,
        family: str,
        idle_s: float,
        waiting: Iterable[Sequence[str]] = (),
        limit: int = 1000,
    ) -> dict[str, tuple[Record, int]]:
        """Return records idle for `idle_s` with their number of starts; they count as sent now.

        `waiting` are the records of the tasks that wait in the family's queue, oldest first. A
        queue is first in, first out: records dispatched after its oldest task wait there too.
        Without that a family without workers would be sent the same records again and again.
        """
        seconds, micros = self.client.time()
        now = seconds + micros / 1e6
        end: float | str = now - idle_s
        oldest = self._oldest_dispatch(family, waiting)
        if oldest is not None and oldest <= now - idle_s:
            end = f"({oldest!r}"
        due = self.partition.due(family)
        pipe = self.client.pipeline(transaction=False)
        pipe.zrange(due, 0, end, byscore=True, offset=0, num=limit)
        # Sent before the server's clock was set back: the age is not known.
        pipe.zrange(due, f"({now + idle_s!r}", "+inf", byscore=True, offset=0, num=limit)
        ids = [i for found in pipe.execute() for i in found]
        if not ids:
            return {}
        texts = self.client.hmget(self.partition.ledger(family), ids)
        tries = self.client.hmget(self.partition.attempts(family), ids)
        self.client.zadd(self.partition.due(family), dict.fromkeys(ids, now), xx=True)
        names = [i.decode() for i in ids]
        starts = {i: int(n or 0) for i, n in zip(names, tries, strict=True)}
        rows = self._readable(family, dict(zip(names, texts, strict=True)))
        return {i: (row, starts[i]) for i, row in rows.items()}

    def _readable(self, family: str, texts: Mapping[str, bytes | None]) -> dict[str, Record]:
        """Return the records whose rows can be read; the others must not stop their neighbours."""
        rows: dict[str, Record] = {}
        for record_id, text in texts.items():
            row = read(record_from_json, text) if text else None
            if isinstance(row, Unreadable):
                log.error("ledger row", code=row.code, record=record_id, reason=row.reason)
                self.bury(family, record_id, row.code, row.reason)
            elif row:
                rows[record_id] = row
        return rows

    def _oldest_dispatch(self, family: str, waiting: Iterable[Sequence[str]]) -> float | None:
        """Return when the oldest task with an unfinished record was dispatched."""
        for record_ids in waiting:
            times = (
                self.client.zmscore(self.partition.due(family), record_ids) if record_ids else []
            )
            if unfinished := [t for t in times if t]:
                return float(min(unfinished))
        return None

    def count_redispatched(self, records: int) -> None:
        """Add to the counter of records that were dispatched again."""
        add_count(self.client, keys.COUNTERS, "records_redispatched", records)

    def in_flight(self) -> dict[str, tuple[int, int]]:
        """Windows and bytes of this partition, dispatched and unfinished, per family."""
        parts = [self.partition.key_name(f) for f in FAMILIES]
        names = [f"in_flight_{what}:{part}" for part in parts for what in ("windows", "bytes")]
        values = [max(read_count(v), 0) for v in self.client.hmget(keys.COUNTERS, names)]
        return {f: (values[2 * i], values[2 * i + 1]) for i, f in enumerate(FAMILIES)}

    def _family_args(self, family: str) -> list[Any]:
        return [family, INDEX[family], len(FAMILIES), keys.GROUP]

    @property
    def _lease_keys(self) -> list[str]:
        return [self.partition.lease, self.partition.bridge]

    def _record_keys(self, family: str) -> list[str]:
        p = self.partition
        records = [p.ledger(family), p.due(family), p.attempts(family)]
        return [*records, p.progress, keys.COUNTERS, p.raw]
