"""Copies the SQLite file of the history while it is written, and puts a copy in its place."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Table, func, select

from vtox.pipeline.cluster.data_folder import open_private, translate_os_errors
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.system.damaged_sqlite import LOGS
from vtox.reporting.history import database
from vtox.reporting.history.errors import HistoryUnavailable
from vtox.reporting.history.migrations.upgrade import migrate
from vtox.reporting.history.schema import alerts, baselines, metadata, series

FILE = "history.sqlite"


def copy_to(settings: Settings, target: Path) -> dict[str, int]:
    """Copy the history into a new file, as it is at one moment; return its rows by table.

    All pages in one step: it reads next to a writer, whose next transaction would make a copy in
    several steps begin again. Empty if there is no history.

    Raises `HistoryUnavailable`: the file cannot be read or copied.
    """
    if not settings.history_file.exists():
        return {}
    os.close(open_private(str(target), os.O_CREAT | os.O_RDWR))
    url, wait_s = f"file:{settings.history_file.absolute()}?mode=ro", database.BUSY_TIMEOUT_S
    try:
        with (
            closing(sqlite3.connect(url, uri=True, timeout=wait_s)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
            # One file, without its log.
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise HistoryUnavailable(
            f"the history in {settings.history_file} cannot be copied: {error}",
            remedy="is there room on the disk?",
        ) from error
    return _row_counts(at(settings, target.parent))


def _row_counts(settings: Settings) -> dict[str, int]:
    """Return the number of rows of each table; empty if there is no file or no table yet."""
    if not settings.history_file.exists():
        return {}
    engine = database.engine_to_read(settings)
    try:
        with database.explain_errors(settings), engine.connect() as db:
            if not database.has_tables(db):
                return {}
            # The recorder of this version may not have made the newest ones yet.
            tables = [t for t in metadata.sorted_tables if db.dialect.has_table(db, t.name)]
            return {t.name: db.scalar(select(func.count()).select_from(t)) or 0 for t in tables}
    finally:
        engine.dispose()


def machines_in_history(settings: Settings) -> int:
    """Return how many machines the file knows; figures of the system alone are no history."""
    if not settings.history_file.exists():
        return 0
    engine = database.engine_to_read(settings)
    try:
        with database.explain_errors(settings), engine.connect() as db:
            if not database.has_tables(db):
                return 0
            ids = {m for t in (series, alerts, baselines) for m in _machine_ids(db, t)}
            return len(ids - {""})
    finally:
        engine.dispose()


def check_copy(settings: Settings, folder: Path) -> None:
    """Make sure that the copy in a folder is whole, and bring its tables up to this version.

    Raises `HistoryUnavailable`: it is damaged, or of a later version of VTOX.
    """
    copied = at(settings, folder)
    engine = database.engine_to_write(copied)
    try:
        with database.explain_errors(copied):
            with engine.connect() as db:
                verdict = str(db.exec_driver_sql("PRAGMA quick_check").scalar())
            if verdict != "ok":
                raise HistoryUnavailable(f"the history in the archive is damaged: {verdict}")
            migrate(engine)
    finally:
        # With the last connection its log goes into the file.
        engine.dispose()


def put_in_place(settings: Settings, folder: Path) -> None:
    """Replace the history by the copy in a folder of the data folder."""
    with translate_os_errors(settings.data_dir):
        for suffix in LOGS:
            Path(f"{settings.history_file}{suffix}").unlink(missing_ok=True)
        os.replace(folder / FILE, settings.history_file)


def at(settings: Settings, folder: Path) -> Settings:
    """Return settings whose history is the SQLite file of a folder."""
    return settings.model_copy(update={"data_dir": folder, "database_url": None})


def _machine_ids(db: Connection, table: Table) -> list[str]:
    return [str(m) for m in db.scalars(select(table.c.machine_id).distinct())]
