"""One log of all processes: JSON lines in `cluster.log`, readable text on a terminal."""

import json
import logging
import sys
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.text import Text

from vtox.cluster.data_folder import explained

FILE = "cluster.log"
FILE_BYTES = 20 << 20
FILES_KEPT = 3
COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green")
LEVEL_STYLE = {"warning": "yellow", "error": "red", "critical": "bold red"}
# Fields that every line has, or that only a machine wants to read.
SHOWN_OTHERWISE = {"t", "level", "role", "event", "exception", "logger", "process"}
ROLE_WIDTH = 10
TRACEBACK = "Traceback (most recent call last)"


class _File(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """Go on: a full disk costs the line, not the system."""


class Journal:
    """Takes the lines of every process; `quiet` keeps them off the console (a view is there)."""

    def __init__(self, data_dir: Path, console: Console, *, quiet: bool = False) -> None:
        self.path = data_dir / FILE
        self.console = console
        self.quiet = quiet
        # The last warnings and errors, for a view that hides the rest.
        self.notable: deque[dict[str, Any]] = deque(maxlen=50)
        self.noted = 0  # how many there have been
        with explained(data_dir):
            data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = _File(
                self.path, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8"
            )
        self._colour: dict[str, str] = {}
        self._traces: dict[str, list[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def say(self, event: str, role: str = "vtox", level: str = "info", **fields: Any) -> None:
        """Write a line of the supervisor's own."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._write({"t": now, "level": level, "role": role, "event": event} | fields)

    def take(self, role: str, line: str) -> None:
        """Write a line that the process of `role` has printed."""
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if isinstance(entry, dict) and "event" in entry:
            self._flush(role)
            self._write(entry | {"role": role})
        elif line.startswith(TRACEBACK):
            self._flush(role)
            self._traces[role] = [line.rstrip()]
        elif role in self._traces:
            self._traces[role].append(line.rstrip())
            if not line.startswith(" "):
                self._flush(role)
        elif line.strip():
            self.say(line.rstrip(), role=role)

    def _flush(self, role: str) -> None:
        """Write a traceback that was printed line by line as one entry."""
        if lines := self._traces.pop(role, None):
            self.say(lines[-1], role=role, level="error", exception="\n".join(lines))

    def _write(self, entry: dict[str, Any]) -> None:
        text = json.dumps(entry, default=str, ensure_ascii=False)
        self._file.emit(logging.makeLogRecord({"msg": "%s", "args": (text,)}))
        if entry.get("level") in LEVEL_STYLE:
            self.notable.append(entry)
            self.noted += 1
        if not self.quiet:
            try:
                self._show(entry, text)
            except (OSError, ValueError):
                # Nobody reads any more (`vtox up | head`). The processes' output must still be
                # taken, or they would stand still at a full pipe.
                self.quiet = True

    def _show(self, entry: Mapping[str, Any], text: str) -> None:
        if self.console.is_terminal:
            self.console.print(self.readable(entry), soft_wrap=True)
        else:
            print(text, file=self.console.file, flush=True)

    def readable(self, entry: Mapping[str, Any]) -> Text:
        """Return a line for people: local time, role in its colour, message, fields."""
        role = str(entry.get("role", ""))
        colour = self._colour.setdefault(role, COLOURS[len(self._colour) % len(COLOURS)])
        style = LEVEL_STYLE.get(str(entry.get("level")), "")
        text = Text(f"{local_time(entry.get('t'))} ", style="dim")
        text.append(f"{role:<{ROLE_WIDTH}} ", style=colour)
        text.append(str(entry.get("event", "")).strip(), style=style or "default")
        for key, value in entry.items():
            if key not in SHOWN_OTHERWISE:
                text.append(f" {key}=", style="dim")
                text.append(str(value), style="default")
        if "exception" in entry:
            text.append(f"\n{entry['exception']}", style="red")
        return text


def local_time(t: Any) -> str:
    """Return the time of day of an ISO time, as this host's clock shows it."""
    try:
        return datetime.fromisoformat(str(t)).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return "--:--:--"


def open_console() -> Console:
    """Return the console that lines go to."""
    return Console(file=sys.stdout, highlight=False)
