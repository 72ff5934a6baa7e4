"""Notices that the file of the history was deleted or replaced while it is open.

SQLite does not: it writes on into a file that has no name any more, and reports success.
"""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

from vtox.pipeline.store.system.damaged_sqlite import LOGS


def watch(engine: Engine, file: Path) -> None:
    """Let the connections of an engine end as soon as the file is another one, or gone."""
    logs = [f"{file}{suffix}" for suffix in LOGS]

    @event.listens_for(engine, "connect")
    def note_file(_: object, record: Any) -> None:
        record.info["file"] = _identity(file)

    @event.listens_for(engine, "checkin")
    def note_logs(_: object, record: Any) -> None:
        record.info["logs"] = [_identity(log) for log in logs]

    @event.listens_for(engine, "checkout")
    def leave_lost_file(_: object, record: Any, __: object) -> None:
        if _identity(file) == record.info["file"]:
            return
        # SQLite would take them for those of the next file of this name, and damage it.
        for log, known in zip(logs, record.info.get("logs", ()), strict=False):
            if known is not None and _identity(log) == known:
                os.unlink(log)
        raise DisconnectionError(f"{file} was deleted or replaced")


def _identity(file: Path | str) -> tuple[int, int] | None:
    """Return the identity of a file, which differs from that of its successor; None without one."""
    try:
        found = os.stat(file)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
