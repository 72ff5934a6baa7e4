"""The history of a run: JSON lines that harness and senders write, and the checker alone reads.

| event | fields | written by |
|---|---|---|
| `run` | test, seed, families (name -> faults), limits, reference | harness |
| `started` | seconds until each process can work, slowness: over those on an idle box | harness |
| `ack` | machine, run, seq | a sender, once the server or the API has confirmed the window |
| `result` | id, machine, run, fault, first, last, state, t_start, t_end, latency_ms | observer |
| `dead` | machine, family, seq, code | observer |
| `timeline` | run_id: another server is the primary, and all is read again from it | observer |
| `disturb`, `calm` | n, kind, target: a disturbance begins and ends | harness |
| `ended` | part, status: a process ended that the harness had not ended | harness |
| `sample` | queues, pending, lag | observer |
| `heard` | topic, alarm, name: an event of an alarm that arrived by MQTT | a subscriber |
| `measure` | name, value, at_most or at_least: limits of a test beyond the rules | tests |
| `drained` | seconds from the last acknowledgement | harness |
| `final` | counters, joules, days, executed, numbers of results and dead, work left | observer |
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Event = dict[str, Any]


class History:
    """A file that several processes append to: each event is one line, written at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def add(self, event: str, **values: Any) -> None:
        """Append an event with its time, s of the host's monotonic clock."""
        line = {"t": round(time.monotonic(), 4), "event": event} | values
        os.write(self.fd, json.dumps(line, separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self.fd)


def read(path: Path) -> Iterator[Event]:
    """Yield the events of a file, in the order in which they were written."""
    with path.open() as lines:
        for line in lines:
            if line.endswith("\n"):  # a run that is going on may be writing its last one
                yield json.loads(line)
