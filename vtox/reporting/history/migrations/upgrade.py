"""Brings the tables of the history up to date; apart, as Alembic slows the start of an API."""

from pathlib import Path

import alembic.command
import alembic.util
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from vtox.reporting.history.errors import HistoryUnavailable

# Any number that no other lock has in this database: one migration at a time.
_MIGRATION_LOCK = 0x5670_7801


def migrate(engine: Engine) -> None:
    """Make the tables, or bring those of an older version up to date: all or nothing.

    Raises `HistoryUnavailable`: the tables are of a later version of VTOX, or of a build before
    its first release.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    scripts = ScriptDirectory.from_config(config)
    with engine.begin() as db:
        if db.dialect.name == "postgresql":
            db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        current = MigrationContext.configure(db).get_current_revision()
        if current == scripts.get_current_head():
            return
        try:
            scripts.get_revision(current or "base")
        except alembic.util.CommandError:
            if (current or "").isdigit():  # steps had plain numbers before the first release
                raise HistoryUnavailable(
                    f"the history was written by a build before VTOX 0.2.0 (its step {current})",
                    remedy="keep it for that build: move the database away",
                ) from None
            raise HistoryUnavailable(
                "the history was written by a later version of VTOX",
                remedy="run that version, or move the database away",
            ) from None
        config.attributes["connection"] = db
        alembic.command.upgrade(config, "head")
