"""Whether the disk has room for the history: the rest of it belongs to the server's log.

A full disk stops the server's log, and with it the taking of windows; the history can wait, for the
streams still hold the entries not read.
"""

import shutil

from vtox.pipeline.configuration.settings import Settings
from vtox.reporting.history.errors import DiskNearlyFull

# The history stops before the disk is full: without the server's log windows are refused
# (docs/howto/keep-history.md).
MIN_FREE_MB = 1024.0
# A stopped recorder resumes with so much more room, so that it does not stop and go at the limit.
RESUME_SHARE = 1.1


def check_room(settings: Settings, *, stopped: bool) -> None:
    """Make sure that there is room; `stopped` says whether there was none before.

    The room of PostgreSQL is not known here: its server refuses data without room.

    Raises `DiskNearlyFull`: there is not.
    """
    if settings.database_url or not settings.data_dir.exists():
        return
    needed_mb = MIN_FREE_MB * (RESUME_SHARE if stopped else 1.0)
    free_mb = shutil.disk_usage(settings.data_dir).free / 1e6
    if free_mb < needed_mb:
        raise DiskNearlyFull(settings.data_dir, free_mb, needed_mb)
