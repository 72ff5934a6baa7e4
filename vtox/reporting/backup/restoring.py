"""Brings a backup into a system that does not run: all is checked before anything is changed."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vtox.pipeline.cluster.data_folder import make_private, translate_os_errors
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import kept_state
from vtox.pipeline.store.system.kept_state import Kept
from vtox.reporting.backup import archive
from vtox.reporting.backup.archive import Manifest
from vtox.reporting.backup.errors import StillRunning
from vtox.reporting.history import copying


@dataclass(frozen=True, slots=True)
class _CheckedBackup:
    """An archive that was unpacked into a folder and found whole."""

    manifest: Manifest
    folder: Path

    def rows(self, member: str) -> Iterator[Kept]:
        """Yield the decoded rows of a member."""
        return archive.read_rows(self.folder / member, kept_state.decode_row)


@contextmanager
def checked(settings: Settings, path: Path) -> Iterator[_CheckedBackup]:
    """Unpack an archive into the data folder and check every part of it; removed at the end.

    Raises `ArchiveError`: it is damaged, no backup of VTOX, or of a later form.
    `HistoryUnavailable`: its history is damaged, or of a later version.
    """
    with translate_os_errors(settings.data_dir):
        make_private(settings.data_dir)
        unpacked = tempfile.TemporaryDirectory(dir=settings.data_dir, prefix="restore-")
    with unpacked as name:
        found = _CheckedBackup(archive.read(path, Path(name)), Path(name))
        for member in archive.MEMBERS:
            for _ in found.rows(member):
                pass
        if copying.FILE in found.manifest.members:
            copying.check_copy(settings, found.folder)
        yield found


def require_stopped(client: Client) -> None:
    """Refuse a system whose processes run: they hold in memory the data to be replaced.

    Raises `StillRunning`: some are connected to the server; the message names them.
    """
    if running := kept_state.running_clients(client):
        raise StillRunning(f"the system runs ({', '.join(running)})", remedy="stop it first")


def present(client: Client, settings: Settings) -> dict[str, int]:
    """Return the counts of the data in the system that a restore would replace."""
    history = 0 if settings.database_url else copying.machines_in_history(settings)
    return kept_state.counts(client) | {"machines_in_history": history}


def restore(
    client: Client,
    settings: Settings,
    backup: _CheckedBackup,
    told: Callable[[str], None] = lambda part: None,
) -> list[str]:
    """Replace the data of the system; return sentences on the parts of the backup left out.

    `told` is called with the name of each part before it is put in place.
    If it is interrupted, it leaves a part and a mark: nothing starts on it, and the next one
    replaces it.
    """
    kept_state.begin_restore(client, backup.manifest.made)
    left_out = _replace(client, settings, backup, told)
    kept_state.end_restore(client)
    return left_out


def _replace(
    client: Client, settings: Settings, backup: _CheckedBackup, told: Callable[[str], None]
) -> list[str]:
    def rows(name: str) -> Iterator[Kept]:
        told(name)
        return backup.rows(name)

    kept_state.clear(client)
    kept_state.put_hashes(client, rows(archive.HASHES))
    kept_state.put_machines(client, rows(archive.MACHINES))
    kept_state.put_stream(client, "EVIDENCE", rows(archive.EVIDENCE))
    kept_state.put_stream(client, "ALERTS", rows(archive.ALERTS))
    kept_state.put_stream(client, "ALARM_ACTIONS", rows(archive.ACTIONS))
    kept_state.join_stream(client, "AUDIT", rows(archive.AUDIT))
    if copying.FILE not in backup.manifest.members:
        return []
    if settings.database_url:
        return [
            "the history: the archive has it in SQLite, and VTOX_DATABASE_URL leads to PostgreSQL"
        ]
    told(copying.FILE)
    copying.put_in_place(settings, backup.folder)
    return []
