"""Optional processes that do not start: each supervisor says which ones, and why.

The system does its work without them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from vtox.motor.values.codec import loads
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client, server_time

# A supervisor that reported longer ago has ended without saying so.
LIFE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentProcess:
    """A process that a host should run, and its message when it last ended."""

    host: str
    name: str
    problem: str


def report_absent(client: Client, host: str, problems: Mapping[str, str]) -> None:
    """Write which processes of a host do not start; none: the host is left out."""
    if problems:
        report = {"t": server_time(client), "problems": dict(problems)}
        client.hset(keys.ABSENT, host, json.dumps(report))
    else:
        client.hdel(keys.ABSENT, host)


def absent_processes(stored: Mapping[bytes, bytes], now: float) -> list[AbsentProcess]:
    """Return those of the reports that are recent and can be read, by host."""
    found = []
    for host, text in sorted(stored.items()):
        try:
            report = loads(text)
            age_s, problems = now - float(report["t"]), dict(report["problems"])
        except (ValueError, TypeError, KeyError, AttributeError):  # damaged, or of a later version
            continue
        if age_s < LIFE_S:
            found += [
                AbsentProcess(
                    host=host.decode("utf-8", "replace"), name=str(name), problem=str(problem)
                )
                for name, problem in sorted(problems.items())
            ]
    return found
