"""The database of the history: SQLite in the data folder, or PostgreSQL by `VTOX_DATABASE_URL`."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ARRAY,
    Connection,
    Dialect,
    Engine,
    Table,
    bindparam,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from vtox.pipeline.cluster.data_folder import make_private, open_private, translate_os_errors
from vtox.pipeline.configuration.server_urls import complete_database, mask
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.version import install_command
from vtox.pipeline.errors import SettingsError
from vtox.pipeline.store.system.damaged_sqlite import is_damage
from vtox.reporting.history.errors import HistoryUnavailable
from vtox.reporting.history.file_watch import watch
from vtox.reporting.history.schema import positions

SETTING = "VTOX_DATABASE_URL"
# A writer waits this long for another one's transaction, a client for an answer of PostgreSQL.
BUSY_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 5
# A query of the API that takes longer is given up.
QUERY_TIMEOUT_MS = 10_000
_WAIT = "start that database, or free space on its disk; the recorder goes on by itself"
_REPAIR = (
    "stop VTOX, run `vtox recorder --repair`, which keeps a copy and recovers what it can read, "
    "and start it again"
)


def address(settings: Settings) -> str:
    """Return the place of the history, for people."""
    return mask(settings.database_url) if settings.database_url else str(settings.history_file)


def engine_to_write(settings: Settings) -> Engine:
    """Return the engine of the recorder, whose transactions lock the database from their begin.

    Opens no connection yet; makes the file of SQLite, for its owner alone.

    Raises `SettingsError`: `VTOX_DATABASE_URL` cannot be used, the package for it is not installed,
    or the file cannot be made.
    """
    if settings.database_url:
        return _postgresql(settings.database_url, "vtox-recorder")
    make_file(settings)
    engine = _sqlite(settings.history_file, "rw")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "connect")
    def tune(connection: sqlite3.Connection, _: object) -> None:
        # Readers and the writer do not wait for each other. A crash of the host may take the last
        # transactions, each with its position: they are read from the streams again.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    return engine


def make_file(settings: Settings) -> None:
    """Make the file of SQLite if there is none.

    Raises `SettingsError`: it cannot be made.
    """
    if not settings.database_url and not settings.history_file.exists():
        with translate_os_errors(settings.data_dir):
            make_private(settings.data_dir)
            os.close(open_private(str(settings.history_file), os.O_CREAT | os.O_RDWR))


def engine_to_read(settings: Settings) -> Engine:
    """Return the engine of a reader, which changes nothing and makes no file.

    Raises `SettingsError`: as `engine_to_write`.
    """
    if settings.database_url:
        options = f"-c statement_timeout={QUERY_TIMEOUT_MS} -c default_transaction_read_only=on"
        return _postgresql(settings.database_url, "vtox-api", options=options)
    engine = _sqlite(settings.history_file, "ro")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Several queries see one state of the tables.
        connection.exec_driver_sql("BEGIN")

    return engine


def insert(db: Connection, table: Table) -> Any:
    """Return the INSERT of a table that knows `on_conflict_do_...`, which SQL's does not."""
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def execute_many(db: Connection, statement: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    """Execute an INSERT with a row for each value of the table's columns, in their order.

    As `db.execute` with a dictionary a row, in half the time: SQLAlchemy makes no own row,
    and PostgreSQL gets one array a column.
    """
    columns = list(statement.table.columns)
    names = [c.name for c in columns]
    if db.dialect.name == "postgresql":
        arrays = [bindparam(c.name, type_=ARRAY(c.type)) for c in columns]
        given = select(func.unnest(*arrays).table_valued(*names).render_derived())
        values = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        db.execute(statement.from_select(names, given), values)
        return
    db.exec_driver_sql(_sql(statement, db.dialect), list(rows))


@lru_cache(maxsize=64)
def _sql(statement: Any, dialect: Dialect) -> str:
    """Return the text of an INSERT; of one that is kept it is made once."""
    compiled = statement.compile(dialect=dialect)
    assert compiled.positiontup == [c.name for c in statement.table.columns]
    return str(compiled)


@contextmanager
def explain_errors(settings: Settings) -> Iterator[None]:
    """Raise `HistoryUnavailable` for whatever the database raises, or a URL that leads to none."""
    try:
        yield
    except SettingsError as error:
        raise HistoryUnavailable(error.observed, remedy=error.remedy) from error
    except SQLAlchemyError as error:
        # The cause alone: the text of SQLAlchemy has the statement and its values too.
        cause = getattr(error, "orig", None) or error
        why = str(cause).strip().partition("\n")[0]
        damaged = isinstance(cause, sqlite3.Error) and is_damage(cause)
        raise HistoryUnavailable(
            f"the history in {address(settings)} cannot be used: {why}",
            remedy=_REPAIR if damaged else _WAIT,
        ) from error


@contextmanager
def reading(settings: Settings) -> Iterator[Connection | None]:
    """Open the history for one reading; None if nothing was ever recorded.

    Raises `HistoryUnavailable`: its database does not answer.
    """
    if not settings.database_url and not settings.history_file.exists():
        yield None
        return
    with explain_errors(settings):
        engine = engine_to_read(settings)
        try:
            with engine.begin() as db:
                yield db if has_tables(db) else None
        finally:
            engine.dispose()


def has_tables(db: Connection) -> bool:
    """Return whether a recorder has ever made the tables."""
    return bool(db.dialect.has_table(db, positions.name))


def _sqlite(file: Path, mode: str) -> Engine:
    url = f"sqlite:///file:{file.absolute()}?mode={mode}&uri=true"
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def disable_driver_transactions(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None

    watch(engine, file)
    return engine


def _postgresql(url: str, name: str, options: str = "") -> Engine:
    complete = make_url(complete_database(SETTING, url)).set(drivername="postgresql+psycopg")
    arguments = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "application_name": name,
        # A link that was cut is noticed within half a minute.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 4,
        "tcp_user_timeout": 30_000,
    }
    try:
        return create_engine(
            complete,
            connect_args=arguments | ({"options": options} if options else {}),
            pool_pre_ping=True,
        )
    except ImportError as error:
        raise SettingsError(
            f"{SETTING} needs the package psycopg", remedy=install_command("postgres")
        ) from error
