"""Recorder, notifier, monitor and acts of operators: the processes behind the results."""

import os
import shutil
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import redis
from sqlalchemy import Connection, Engine, Table, event, func, select
from sqlalchemy.exc import OperationalError

from faults.interleavings import events, virtual
from faults.interleavings.processes import Parts, Stop
from faults.interleavings.scheduler import Process
from faults.interleavings.truth import PARTITIONS, Broken, Truth, metered
from faults.interleavings.workload import RETIRING
from vtox.motor.alarms.book import Action, ActionName, Book
from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.values import codec
from vtox.motor.values.energy import MeterCounts
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.monitoring import monitor as monitoring
from vtox.pipeline.store.alarms import alarm_book
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.machines.line_levels import QUANTITIES
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.partition_table import set_number
from vtox.pipeline.store.stream import deadletters
from vtox.reporting.history import database, schema, writing
from vtox.reporting.history.migrations.upgrade import migrate
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.notification.attempt import Attempt
from vtox.reporting.notification.notifier import Notifier
from vtox.reporting.notification.rules import Rules

HOOK = {"kind": "webhook", "url": "https://example.org/alarms", "secret_env": "NO_SECRET"}
RULES = Rules.model_validate({"targets": {"hook": HOOK}, "rules": ({"targets": ["hook"]},)})
DATABASE = "history.sqlite"
# Its queries take a seventh of the time of a run at the second of `vtox notify run`.
NOTIFIES_EVERY_S = 3.0


def install(folder: Path, settings: Settings) -> None:
    """Make an empty history to begin with, and let events happen at its statements."""
    engine = database.engine_to_write(settings)
    migrate(engine)
    engine.dispose()
    shutil.copy(settings.history_file, folder / f"empty-{DATABASE}")
    event.listen(Engine, "before_cursor_execute", _before_statement)
    # Figures and names of this host, which differ from run to run. Digits of a process id that are
    # replaced in a text afterwards are found in tokens and times too.
    os.getpid = lambda: 1
    socket.gethostname = lambda: "host"
    time.process_time = lambda: 0.0
    write = writing.write

    def write_later(*portion: Any) -> bool:
        """Write a portion; another recorder may be here between it was read and now."""
        process = cast(Process, virtual.local.asked)
        happened = process.happens("portion", events.OF_PORTION)
        if happened and happened.kind == events.DIE:
            process.die()
        if happened:
            process.sleep(happened.size_s)
        return write(*portion)

    writing.write = write_later
    monitoring.usable_cores = lambda: 2.0
    monitoring.server_thread_s = lambda client: None


def begin(folder: Path, settings: Settings) -> None:
    """Put an empty history in place."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{settings.history_file}{suffix}").unlink(missing_ok=True)
    shutil.copy(folder / f"empty-{DATABASE}", settings.history_file)


def _before_statement(*details: Any) -> None:
    statement, process = str(details[2]), cast(Process | None, virtual.local.asked)
    if process is None or process.dying or not statement.startswith(("INSERT", "UPDATE", "DELETE")):
        return
    happened = process.happens("SQL", events.OF_SQL)
    process.scheduler.note(f"{process.name} SQL {statement[:60]}")
    if happened and happened.kind == events.DIE:
        process.die()
    if happened:
        raise OperationalError(statement, None, Exception("database or disk is full"))


def recorder(parts: Parts, process: Process) -> None:
    """Record, as `vtox recorder`."""
    running = Recorder(parts.connected(process, "recorder"), parts.settings)
    process.to_close.append(running.close)
    running.run(cast(Any, Stop(process)))


def notifier(parts: Parts, told: "Told", process: Process) -> None:
    """Notify, as `vtox notify run`; one message after the other instead of in threads."""
    client = parts.connected(process, "notifier")
    running = Notifier(client, parts.settings, RULES, {"webhook": partial(told.take, process)})
    process.to_close.append(running.close)
    while True:
        running.try_once()
        try:
            while running._prepared.is_set() and running.send_next("hook"):
                pass
        except OperationalError:  # its thread logs it
            pass
        process.sleep(NOTIFIES_EVERY_S)


def monitor(parts: Parts, process: Process) -> None:
    """Measure and watch, as a thread of the bridge that owns the first partition."""
    client = parts.connected(process, "monitor")
    monitoring.run(client, parts.settings, cast(Any, Stop(process)), lambda: True)


class Told:
    """The notified target: message id -> bodies that came."""

    def __init__(self) -> None:
        self.messages: dict[str, set[bytes]] = {}

    def take(
        self, process: Process, name: str, target: Any, message_id: str, body: bytes
    ) -> Attempt:
        """Take a message, or fail to, or take it and fail to say so."""
        happened = process.happens("message", events.OF_MESSAGE)
        kind = happened.kind if happened else ""
        if kind != events.CUT:
            self.messages.setdefault(message_id, set()).add(body)
        return Attempt(problem="away") if kind in (events.CUT, events.LOST) else Attempt()


# Acts of operators


def acknowledge(name: ActionName, client: Client) -> None:
    """Act on every active alarm, as the routes of the API do."""

    def actions(book: Book, now_ms: int) -> Iterator[Action]:
        for alarm in list(book.alarms.values()):
            if alarm.active:
                about = {"machine_id": alarm.machine_id, "fault": alarm.fault}
                yield Action(
                    name=name, ms=now_ms, by="operator", alarm_id=alarm.id, text="seen", **about
                )

    alarm_book.act(client, actions)


def resend(client: Client) -> None:
    """Send the dead letters of workers again."""
    for letter in list(deadletters.newest_first(client)):
        if letter.family and letter.entry:
            deadletters.resend(client, letter)


def delete_pending(truth: Truth, client: Client) -> None:
    """Delete windows that a bridge has read and workers may lack, as an operator with `XDEL`."""
    for p in PARTITIONS:
        if client.exists(p.raw):
            pending = client.xpending_range(p.raw, keys.GROUP, "-", "+", 5)
            if ids := [e["message_id"].decode() for e in pending[::2]]:
                truth.to_delete |= {(p.raw, i) for i in ids}
                client.xdel(p.raw, *ids)


def retire(machine_id: str, truth: Truth, client: Client) -> None:
    """Retire a machine, and forget its history."""
    truth.retired = True
    machines.retire(client, machine_id)


def repartition(number: int, client: Client) -> None:
    """Put another number of partitions in force."""
    set_number(client, number)


# Rules that must hold


def unrecorded(plain: redis.Redis, settings: Settings) -> str:
    """Return which stream is not recorded to its end, empty if all are."""
    engine = database.engine_to_read(settings)
    try:
        with engine.connect() as db:
            at = dict(
                db.execute(select(schema.positions.c.stream, schema.positions.c.entry_id)).all()
            )
    finally:
        engine.dispose()
    for stream in (keys.RESULTS, keys.ALERTS, keys.ALARM_ACTIONS):
        newest = plain.xrevrange(stream, count=1)
        if newest and at.get(stream) != newest[0][0].decode():
            return f"{stream} is recorded to {at.get(stream)} of {newest[0][0].decode()}"
    return ""


def check_history(plain: redis.Redis, settings: Settings) -> None:
    """Compare the rows of the history with the streams."""
    engine = database.engine_to_read(settings)
    try:
        with engine.connect() as db:
            records, series = schema.records, schema.series
            of = records.join(series, records.c.series_id == series.c.id)
            columns = records.c.id_ms, records.c.id_seq, series.c.machine_id, series.c.quantity
            rows = [tuple(r) for r in db.execute(select(*columns).select_from(of))]
            sums = [_sums(db, t) for t in (schema.minutes, schema.hours)]
            energy = [_energy(db, t) for t in (schema.energy_quarters, schema.energy_days)]
            alerts = {
                tuple(r) for r in db.execute(select(schema.alerts.c.id_ms, schema.alerts.c.id_seq))
            }
    finally:
        engine.dispose()
    counts = Counter((machine_id, quantity) for _, _, machine_id, quantity in rows)
    _equal("hours, and minutes", sums[1], sums[0])
    _equal("sums of minutes, and records", sums[0] - counts, Counter())
    _equal("records, and sums of minutes", counts - sums[0], Counter())
    found = {r for r in rows if r[2] not in ("", RETIRING) and r[3] != "health"}
    results = {i: e for i, e in plain.xrange(keys.RESULTS) if e[b"machine_id"].decode() != RETIRING}
    missing, extra = _compare_rows(found, results)
    _equal("results without a row", missing, set())
    _equal("rows without a result of their own", extra, set())
    recorded = [e for i, e in results.items() if (*_id(i), *_series(e)) in found]
    for of in energy:
        of.pop(RETIRING, None)
        _equal("energy of the history, and of the results that it has", of, metered(recorded))
    of_stream = {
        _id(i) for i, e in plain.xrange(keys.ALERTS) if e[b"machine_id"] != RETIRING.encode()
    }
    _equal("alerts that are in no row", of_stream - alerts, set())


def _compare_rows(found: set[Any], results: Mapping[bytes, Mapping[bytes, bytes]]) -> Any:
    """Return the missing rows, and the extra ones.

    If windows are diagnosed again, the first result is recorded. An exception is a clock of the
    server that was behind at one result: this result is where the recorder searches for no other.
    """
    of_windows: defaultdict[tuple[bytes, ...], list[Any]] = defaultdict(list)
    behind = set()
    for i, e in results.items():
        of = tuple(e[n] for n in (b"machine_id", b"fault", b"run", b"first_seq", b"last_seq"))
        of_windows[of].append((*_id(i), *_series(e)))
        if 1000 * float(e[b"t_end"]) >= _id(i)[0]:
            behind.add(of)
    first = {rows[0] for rows in of_windows.values()}
    more = {row for of in behind for row in of_windows[of]}
    return first - found, found - first - more


def _series(result: Mapping[bytes, bytes]) -> tuple[str, str]:
    return result[b"machine_id"].decode(), result[b"fault"].decode()


def _energy(db: Connection, table: Table) -> dict[str, MeterCounts]:
    """Return the sums of a table for each machine."""
    series, columns = schema.series.c, [func.sum(table.c[n]) for n in MeterCounts._fields]
    of = table.join(schema.series, table.c.series_id == series.id)
    found = db.execute(select(series.machine_id, *columns).select_from(of).group_by(series.id))
    return {machine_id: MeterCounts(*counts) for machine_id, *counts in found}


def _sums(db: Connection, table: Table) -> Counter[tuple[str, str]]:
    """Return how many records a table of aggregates holds, by machine and quantity."""
    series = schema.series.c
    of = table.join(schema.series, table.c.series_id == series.id)
    columns = series.machine_id, series.quantity, func.sum(table.c.n)
    found = db.execute(select(*columns).select_from(of).group_by(series.id))
    # Lines of a spectrum are sampled, and have no records.
    return Counter({(m, quantity): n for m, quantity, n in found if quantity not in QUANTITIES})


def check_alerts(plain: redis.Redis) -> None:
    """Compare the open alerts with the events; each is raised once, and cleared once."""
    happened: Counter[tuple[str, str]] = Counter()
    opened: set[str] = set()
    for _, fields in plain.xrange(keys.ALERTS):
        a = codec.decode_fields(Alert, fields)
        happened[a.id, a.event] += 1
        if a.machine_id:
            name = f"{a.machine_id}|{a.fault}"
            if a.event == "raised":
                _equal(f"{name} is open, and raised again", name in opened, False)
            change = opened.discard if a.event == "cleared" else opened.add
            change(name)
    twice = {k for k, n in happened.items() if n > 1 and k[1] in ("raised", "cleared")}
    _equal("events of an alert that came twice", twice, set())
    kept = {m.decode() for m in plain.smembers(keys.OPEN_ALERTS)}
    _equal("open alerts, and their events", kept, opened)
    listed = {m.decode() for m in plain.zrange(keys.MACHINES, 0, -1)}
    nobody = {name for name in kept if name.partition("|")[0] not in listed}
    _equal("open alerts of machines that are not listed", nobody, set())


def check_told(plain: redis.Redis, told: Told) -> None:
    """Check that every copy of a message has the same body."""
    changed = {i for i, bodies in told.messages.items() if len(bodies) > 1}
    _equal("messages that came with two texts", changed, set())


def _id(entry_id: bytes) -> tuple[int, int]:
    ms, _, n = entry_id.partition(b"-")
    return int(ms), int(n)


def _equal(what: str, counted: Any, found: Any) -> None:
    if counted != found:
        raise Broken("sums", f"{what}: {counted} and {found}")
