"""The recorder, `vtox recorder`: reads the streams of results and writes their history to SQL."""

import os
import socket
import time
from collections.abc import Mapping
from threading import Event
from zoneinfo import ZoneInfo

import redis
import structlog
from sqlalchemy import Engine

from vtox.motor.errors import VtoxError
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import TooManyMachines
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.heartbeats import RecorderHeartbeat
from vtox.pipeline.store.ledger.retention_clock import RetentionClock
from vtox.pipeline.store.machines.line_levels import LineSampler
from vtox.pipeline.store.machines.machines import list_senders
from vtox.pipeline.store.machines.retirements import noted_retirements, remove_notes
from vtox.pipeline.store.machines.scalar_room import keep_full
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream import stream_reader
from vtox.pipeline.store.stream.outputs import entry_order
from vtox.pipeline.store.stream.scalars import acknowledge
from vtox.pipeline.store.stream.stream_reader import BEGIN, Position
from vtox.pipeline.store.stream.unreadable import note_skipped
from vtox.reporting.history import database, deletion, retention, writing
from vtox.reporting.history.baselines import BaselineRecorder
from vtox.reporting.history.disk_room import check_room
from vtox.reporting.history.errors import DiskNearlyFull
from vtox.reporting.history.gaps import missed_between, missed_sentence, write_lost
from vtox.reporting.history.migrations.upgrade import migrate
from vtox.reporting.history.names import Names
from vtox.reporting.history.profiles import ProfileBook
from vtox.reporting.history.redone import Redone
from vtox.reporting.history.retention import Oldest, oldest_kept
from vtox.reporting.history.scalars import LimitWatch, full_machines, quantities
from vtox.reporting.history.writing import Portion

log = structlog.get_logger()

_UTC = ZoneInfo("UTC")
# The longer it waits, the fewer rows of minutes it adds to twice, and the later a trend shows. A
# window of 50 machines cost 111 and 124 us with 5 s, 91 and 99 us with 10 s.
PAUSE_S = 10.0
# 1.5 MB of results.
ENTRIES_PER_READ = 1000
# The more of a minute come together, the fewer rows are written. A transaction of some 0.1 s.
POINTS_PER_TRANSACTION = 10_000
DELETE_EVERY_S = 600.0
BASELINES_EVERY_S = 60.0
# A machine of 150,000 names, from a version without a limit, takes a second.
_FULL_EVERY_S = 60.0
# Missed entries are in the heartbeat for so long; the table has all of them.
MISSED_SHOWN_S = 86_400.0
# SQLite leaves it to the system when the last transactions are on disk: half a minute on Linux.
CRASH_LOSES_S = 60.0


class Recorder:
    """Records new entries of every stream, again and again; caches facts of the database."""

    def __init__(self, client: Client, settings: Settings, zone: ZoneInfo = _UTC) -> None:
        self.client = client
        self.settings = settings
        self.problem = ""
        self.no_room: DiskNearlyFull | None = None
        self.recorded_t: float | None = None
        self._engine: Engine | None = None
        self._names = Names()
        self._redone = Redone()
        self._lines = LineSampler()
        self._limits = LimitWatch(client)
        self._profiles = ProfileBook(client, zone)
        self._positions: dict[str, Position] = {}
        self._baselines = BaselineRecorder(client)
        self._retention_clock = RetentionClock(client)
        self._missed = ""
        self._lost_t: float | None = None
        self._due: dict[str, float] = {}

    def run(self, stop: Event) -> None:
        """Record until stopped; a failed portion is tried again from the position in the tables."""
        while not stop.is_set():
            self.try_once(stop)
            stop.wait(PAUSE_S)
        self.close()

    def try_once(self, stop: Event) -> bool:
        """Record all that is new; False if server or database refuse."""
        problem = ""
        try:
            with database.explain_errors(self.settings):
                self.record(stop)
            self.no_room = None
        except DiskNearlyFull as error:
            problem, self.no_room = str(error), error
        except (redis.RedisError, VtoxError) as error:
            problem = str(error)
        except Exception as error:  # an end would be no more than a start: it tries again
            log.exception("the recorder failed and tries again")
            problem = f"{type(error).__name__}: see cluster.log"
        if problem:
            self._forget()
        # How much is free changes from one look to the next: that is no news.
        news = (not self.problem) if self.no_room else problem != self.problem
        if problem and news:
            log.warning("nothing is recorded until this is over", reason=problem)
        elif self.problem and not problem:
            log.info("recording again")
        self.problem = problem
        self._report()
        return not problem

    def record(self, stop: Event) -> int:
        """Record all that is new in the streams, and do other due work; return how many entries."""
        self._check_room()
        engine = self._open()
        retired = self._delete_retired(engine)
        now_t = retention.keep_time(engine, self._retention_clock)
        oldest = oldest_kept(self.settings, round(1000 * now_t))
        n = 0
        for stream in tuple(self._positions):
            while not stop.is_set():
                entries, complete = self._record_portion(engine, stream, oldest, retired)
                n += entries
                if complete:
                    break
                self._report()
        if not stop.is_set():
            self.recorded_t = server_time(self.client)
            # Entries of these machines until then are deleted, or were read without recording them.
            remove_notes(self.client, retired)
        if self._is_due("baselines", BASELINES_EVERY_S):
            self._baselines.record(engine)
        if self._is_due("deletion", DELETE_EVERY_S):
            retention.delete_older(engine, oldest)
            self._keep_full(engine)
        return n

    def close(self) -> None:
        """Close the connections to the database."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _check_room(self) -> None:
        check_room(self.settings, stopped=self.no_room is not None)

    def _open(self) -> Engine:
        if self._engine is None:
            self._engine = database.engine_to_write(self.settings)
        if not self._positions:
            migrate(self._engine)
            self._load_positions(self._engine)
        return self._engine

    def _load_positions(self, engine: Engine) -> None:
        """Read the position of each stream from the tables, and note the entries they lost."""
        beat = heartbeats.recorder(self.client)  # first: another recorder may move on meanwhile
        self._positions = writing.positions_of(engine)
        if beat is not None and (beat.host, beat.address) == self._host_and_address:
            lost = [s for s, p in self._positions.items() if _is_lost(p, beat.recorded.get(s))]
            if lost:
                self._lost_t = server_time(self.client)
                new = [s for s in lost if self._positions[s].entry_id == BEGIN]
                write_lost(engine, self.client, new)
                log.warning("the history was deleted or replaced", address=beat.address)
        self._missed = self._missed_lately(engine)

    def _delete_retired(self, engine: Engine) -> dict[str, int]:
        """Delete the history of retired machines; return when each was retired (ms)."""
        retired = noted_retirements(self.client)
        for machine_id in retired:
            self._baselines.forget_machine(machine_id)
            self._profiles.forget_machine(machine_id)
            rows = deletion.delete_machine(engine, machine_id)
            log.info("history of a retired machine deleted", machine=machine_id, rows=rows)
        return retired

    def _record_portion(
        self, engine: Engine, stream: str, oldest: Oldest, retired: Mapping[str, int]
    ) -> tuple[int, bool]:
        """Record one transaction; return how many entries, and whether it was all."""
        portion = Portion(self._positions[stream], self._positions[stream], self._lines)
        complete = False
        self._check_room()
        while not complete and len(portion.points) < POINTS_PER_TRANSACTION:
            batch = stream_reader.read(self.client, portion.end, ENTRIES_PER_READ)
            portion.add(batch, oldest, retired)
            complete = batch.complete
        if portion.start == portion.end:
            return 0, True
        if stream == keys.SCALARS:
            self._refuse_strangers(portion)
            with engine.connect() as db:
                portion.points = self._limits.with_states(db, portion.points, oldest.records_ms)
        elif stream == keys.RESULTS:
            self._profiles.follow(engine, portion.points)
        if not writing.write(
            engine, portion, self._names, self._redone, oldest, self._profiles.write
        ):
            # Another recorder was here: go on where it ended.
            self._names.forget()
            self._redone.forget()
            self._lines.forget()
            self._profiles.forget()
            self._load_positions(engine)
            return 0, False
        self._lines.keep()
        self._profiles.keep()
        self._positions[stream] = portion.end
        beyond = any(why.code == "too_many_scalars" for _, why in portion.skipped)
        if beyond and self._is_due("full", _FULL_EVERY_S):
            self._keep_full(engine)
        if portion.filled:
            with engine.connect() as db:
                keep_full(self.client, {m: quantities(db, m) for m in portion.filled})
        if stream == keys.SCALARS:
            acknowledge(self.client, portion.end.entry_id)
        note_skipped(self.client, "recorder", stream, portion.skipped)
        for gap in portion.missed:
            log.warning(
                "entries were trimmed before they were recorded",
                stream=stream,
                after=gap.after_id,
                before=gap.before_id,
                entries=gap.entries,
            )
        if portion.missed:
            self._missed = self._missed_lately(engine)
        return portion.entries, complete

    def _refuse_strangers(self, portion: Portion) -> None:
        """List the machines of readings; pass over those of new ones that have no room."""
        ids = list(dict.fromkeys(p.machine_id for p in portion.points))
        most = self.settings.max_machines
        refused = set(list_senders(self.client, ids, limit=most))
        for p in (p for p in portion.points if p.machine_id in refused):
            portion.refuse(p, "too_many_machines", TooManyMachines(most))
        portion.points = [p for p in portion.points if p.machine_id not in refused]

    def _keep_full(self, engine: Engine) -> None:
        """Let senders know which machines may get no more names of scalars."""
        with engine.connect() as db:
            keep_full(self.client, full_machines(db))

    def _missed_lately(self, engine: Engine) -> str:
        now = server_time(self.client)
        with engine.connect() as db:
            gaps = missed_between(db, tuple(self._positions), now - MISSED_SHOWN_S, now)
        return missed_sentence(gaps)

    def _forget(self) -> None:
        """Forget the state that a failed transaction may have made wrong; the file may be gone."""
        self.close()
        self._names.forget()
        self._redone.forget()
        self._lines.forget()
        self._profiles.forget()
        self._positions.clear()
        self._baselines.forget()

    def _is_due(self, task: str, every_s: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(task, 0.0):
            return False
        self._due[task] = now + every_s
        return True

    @property
    def _host_and_address(self) -> tuple[str, str]:
        return socket.gethostname(), database.address(self.settings)

    def _report(self) -> None:
        host, address = self._host_and_address
        try:
            beat = RecorderHeartbeat(
                pid=os.getpid(),
                host=host,
                address=address,
                last_seen_t=server_time(self.client),
                recorded_t=self.recorded_t,
                problem=self.problem,
                missed=self._missed,
                free_mb=self.no_room.free_mb if self.no_room else 0.0,
                needed_mb=self.no_room.needed_mb if self.no_room else 0.0,
                recorded={s: p.entry_id for s, p in self._positions.items()},
                lost_t=self._lost_t,
            )
            heartbeats.send(self.client, beat)
        except redis.RedisError:
            pass  # the next read says so


def _is_lost(position: Position, recorded_id: str | None) -> bool:
    """Return whether an entry was recorded that the tables do not have.

    A crash of the host may take some seconds of them, which are read again.
    """
    if recorded_id is None:
        return False
    behind_ms = entry_order(recorded_id)[0] - entry_order(position.entry_id)[0]
    return behind_ms > 1000 * CRASH_LOSES_S
