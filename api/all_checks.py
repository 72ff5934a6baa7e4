"""The checks of all servers that share the machines, each with the number of its server."""

from collections.abc import Sequence
from dataclasses import replace

from api.server import Server
from api.servers import Answers
from vtox.monitoring.readiness import Check, checks, coded_check
from vtox.store.status import Snapshot

AWAY_CODE = "server_is_away"


def all_checks(answers: Answers[Snapshot]) -> list[Check]:
    """Return the checks of each server; those of one that does not answer are that it is away."""
    if len(answers.found) == 1 and not answers.away:
        return checks(answers.found[0][1])
    by_number = {s.number: _numbered(s, checks(snap)) for s, snap in answers.found}
    by_number |= {s.number: [away_check(s, problem)] for s, problem in answers.away}
    return [c for number in sorted(by_number) for c in by_number[number]]


def away_check(server: Server, problem: str) -> Check:
    """Return the check of a server that does not answer."""
    n = server.number + 1
    return replace(coded_check("server", "fail", AWAY_CODE, server=n, problem=problem), server=n)


def is_diagnosing(results: Sequence[Check]) -> bool:
    """Return whether one server at least passes all checks: windows of its machines are diagnosed.

    The first server carries the tasks of all, so that without it the check `broker` of each other
    one fails too.
    """
    failed = {c.server for c in results if c.status == "fail"}
    return bool({c.server for c in results} - failed)


def _numbered(server: Server, results: Sequence[Check]) -> list[Check]:
    return [replace(c, server=server.number + 1) for c in results]
