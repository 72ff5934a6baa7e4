"""One log of all processes: JSON lines in `cluster.log`, readable text on a terminal."""

import json
import logging
import sys
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.text import Text

from vtox.pipeline.cluster.data_folder import open_private, translate_os_errors

FILE = "cluster.log"
FILE_BYTES = 20 << 20
BACKUP_FILES = 3
COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green")
LEVEL_STYLE = {"warning": "yellow", "error": "red", "critical": "bold red"}
# Fields that the readable line shows without their name, or not at all.
UNNAMED_FIELDS = {"t", "level", "role", "event", "exception", "logger", "process"}
ROLE_WIDTH = 10
TRACEBACK = "Traceback (most recent call last)"


class _LogFile(RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding=self.encoding, opener=open_private)

    def handleError(self, record: logging.LogRecord) -> None:
        """Continue: a full disk loses the line, it does not stop the system."""


class ClusterLog:
    """Writes the lines of every process to the file and, unless `quiet`, to the console."""

    def __init__(self, data_dir: Path, console: Console, *, quiet: bool = False) -> None:
        self.path = data_dir / FILE
        self.console = console
        self.quiet = quiet
        # The last warnings and errors, and how many so far: for a view that hides the rest.
        self.problems: deque[dict[str, Any]] = deque(maxlen=50)
        self.problem_count = 0
        with translate_os_errors(data_dir):
            data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            for earlier in data_dir.glob(f"{FILE}.*"):
                earlier.chmod(0o600)
            self._file = _LogFile(
                self.path, maxBytes=FILE_BYTES, backupCount=BACKUP_FILES, encoding="utf-8"
            )
        self._colour: dict[str, str] = {}
        self._tracebacks: dict[str, list[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write_own(self, event: str, role: str = "vtox", level: str = "info", **fields: Any) -> None:
        """Write a line of the supervisor's own."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._write({"t": now, "level": level, "role": role, "event": event} | fields)

    def write_line_of(self, role: str, line: str) -> None:
        """Write a line that the process `role` has printed."""
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if isinstance(entry, dict) and "event" in entry:
            self._write_traceback(role)
            self._write(entry | {"role": role})
        elif line.startswith(TRACEBACK):
            self._write_traceback(role)
            self._tracebacks[role] = [line.rstrip()]
        elif role in self._tracebacks:
            self._tracebacks[role].append(line.rstrip())
            if not line.startswith(" "):
                self._write_traceback(role)
        elif line.strip():
            self.write_own(line.rstrip(), role=role)

    def _write_traceback(self, role: str) -> None:
        """Write a traceback that was printed line by line as one entry."""
        if lines := self._tracebacks.pop(role, None):
            self.write_own(lines[-1], role=role, level="error", exception="\n".join(lines))

    def _write(self, entry: dict[str, Any]) -> None:
        text = json.dumps(entry, default=str, ensure_ascii=False)
        self._file.emit(logging.makeLogRecord({"msg": "%s", "args": (text,)}))
        if entry.get("level") in LEVEL_STYLE:
            self.problems.append(entry)
            self.problem_count += 1
        if not self.quiet:
            try:
                self._print(entry, text)
            except (OSError, ValueError):
                # The reader has gone (`vtox up | head`). The processes' output must still be read,
                # or they would block on a full pipe.
                self.quiet = True

    def _print(self, entry: Mapping[str, Any], text: str) -> None:
        if self.console.is_terminal:
            self.console.print(self.as_text(entry), soft_wrap=True)
        else:
            print(text, file=self.console.file, flush=True)

    def as_text(self, entry: Mapping[str, Any]) -> Text:
        """Return a line for people: local time, role in its colour, message, fields."""
        role = str(entry.get("role", ""))
        colour = self._colour.setdefault(role, COLOURS[len(self._colour) % len(COLOURS)])
        style = LEVEL_STYLE.get(str(entry.get("level")), "")
        text = Text(f"{local_time(entry.get('t'))} ", style="dim")
        text.append(f"{role:<{ROLE_WIDTH}} ", style=colour)
        text.append(str(entry.get("event", "")).strip(), style=style or "default")
        for key, value in entry.items():
            if key not in UNNAMED_FIELDS:
                text.append(f" {key}=", style="dim")
                text.append(str(value), style="default")
        if "exception" in entry:
            text.append(f"\n{entry['exception']}", style="red")
        return text


def local_time(t: Any) -> str:
    """Return the local time of day of an ISO time."""
    try:
        return datetime.fromisoformat(str(t)).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return "--:--:--"


def open_console() -> Console:
    """Return the console for standard output."""
    return Console(file=sys.stdout, highlight=False)
