"""Writes a backup while the system runs: nothing stops, and nothing waits for it."""

import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from vtox.motor.errors import InputError
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.version import version
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.system import kept_state
from vtox.reporting.backup import archive
from vtox.reporting.backup.archive import Manifest
from vtox.reporting.history import copying


def save(
    client: Client, settings: Settings, path: Path, told: Callable[[str], None] = lambda part: None
) -> Manifest:
    """Write a backup to a new file of mode 0600 and return its manifest.

    `told` is called with the name of each part before it is written.

    The history comes first and alerts last: of an alert that is open in the archive, the event is
    in one of them. Between the members lie seconds, in which the system goes on.

    Raises `InputError`: the file exists, or cannot be written. `HistoryUnavailable`: the history
    cannot be copied. `SystemStateError`: a restore was interrupted: the system holds a part.
    """
    kept_state.require_whole(client)
    if path.exists():
        raise InputError(f"{path} exists already", remedy="choose another file")
    try:
        # Next to it: on the same disk, which has room for it.
        with tempfile.TemporaryDirectory(dir=path.absolute().parent, prefix=".vtox-") as name:
            folder = Path(name)
            manifest = _collect(client, settings, folder, told)
            told(path.name)
            archive.write(path, manifest, folder)
            return manifest
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error


def _collect(
    client: Client, settings: Settings, folder: Path, told: Callable[[str], None]
) -> Manifest:
    """Write the members into a folder; return the manifest."""
    made = datetime.fromtimestamp(server_time(client), UTC).isoformat(timespec="seconds")
    history, history_rows = folder / copying.FILE, dict[str, int]()
    if not settings.database_url:
        told(copying.FILE)
        history_rows = copying.copy_to(settings, history)
    members = {
        archive.MACHINES: kept_state.machine_rows(client),
        archive.HASHES: kept_state.hash_rows(client),
        archive.EVIDENCE: kept_state.stream_rows(client, "EVIDENCE"),
        archive.ALERTS: kept_state.stream_rows(client, "ALERTS"),
        archive.ACTIONS: kept_state.stream_rows(client, "ALARM_ACTIONS"),
        archive.AUDIT: kept_state.stream_rows(client, "AUDIT"),
    }
    lines = {}
    for name, rows in members.items():
        told(name)
        lines[name] = archive.write_rows(folder / name, rows)
    files = [*(folder / name for name in members), *([history] if history.exists() else [])]
    kept: Literal["sqlite", "none"] = "sqlite" if history.exists() else "none"
    return Manifest(
        form=archive.FORM,
        vtox=version(),
        made=made,
        history="postgresql" if settings.database_url else kept,
        counts=_counts(folder, lines),
        history_rows=history_rows,
        members=archive.describe(files),
    )


def _counts(folder: Path, rows: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of the members; `rows` is the number of lines of each."""
    machines, hashes = folder / archive.MACHINES, folder / archive.HASHES
    nameplates = baselines = 0
    for machine in archive.read_rows(machines, kept_state.decode_row):
        nameplates += "motor" in machine.fields
        baselines += "baseline" in machine.fields
    by_name = {h.name: h.fields for h in archive.read_rows(hashes, kept_state.decode_row)}
    return {
        "machines": rows[archive.MACHINES],
        "nameplates": nameplates,
        "baselines": baselines,
        "api_keys": len(by_name["API_KEYS"]),
        "evidence_windows": rows[archive.EVIDENCE],
        "alert_events": rows[archive.ALERTS],
        "alarm_actions": rows[archive.ACTIONS],
        "audit_entries": rows[archive.AUDIT],
    }
