"""Equal warnings of a process as one line with a count: a server that is away says so once."""

import logging
import sys
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any, TextIO

# As often as an operator who follows the log must read the same again.
EVERY_S = 60.0
# Different lines of a process that repeat at a time; of more, the oldest is written early.
KEPT = 100


@dataclass(slots=True)
class _RepeatedLine:
    """A line, since when it repeats, and how often it came without being written."""

    since_s: float
    last: logging.LogRecord
    times: int = 0


class RepeatedLines(logging.StreamHandler[TextIO]):
    """Writes a warning at once, equal ones of the next `EVERY_S` as one line with `times`.

    That one line comes with the first line after this time, or as the process ends.
    """

    def __init__(
        self, stream: TextIO | None = None, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(stream or sys.stderr)
        self._now_s = now_s
        self._known: dict[str, _RepeatedLine] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or count it."""
        now_s = self._now_s()
        for key in [k for k, r in self._known.items() if now_s - r.since_s >= EVERY_S]:
            self._write(self._known.pop(key))
        if record.levelno < logging.WARNING or record.exc_info:
            super().emit(record)
        elif known := self._known.get(key := _key(record)):
            known.last, known.times = record, known.times + 1
        else:
            if len(self._known) >= KEPT:
                self._write(self._known.pop(next(iter(self._known))))
            self._known[key] = _RepeatedLine(now_s, record)
            super().emit(record)

    def close(self) -> None:
        """Write the counted lines."""
        self.acquire()
        try:
            while self._known:
                self._write(self._known.popitem()[1])
        finally:
            self.release()
        super().close()

    def _write(self, repeated: _RepeatedLine) -> None:
        if not repeated.times:
            return
        record = copy(repeated.last)
        if isinstance(record.msg, dict):
            record.msg = {**record.msg, "times": repeated.times}
        else:
            record.times = repeated.times
        super().emit(record)


def _key(record: logging.LogRecord) -> str:
    """Return the part in which equal lines agree: all but the time."""
    said: Any = record.msg
    if isinstance(said, dict):
        said = {k: v for k, v in said.items() if k != "t"}
    return repr((record.name, record.levelno, said, record.args))
