"""Reports optional processes of this host that do not start; next to the supervisor."""

import asyncio
import socket
from collections.abc import Mapping

import redis

from vtox.pipeline.cluster.supervisor import Supervisor
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.store.ledger.absent_processes import report_absent
from vtox.pipeline.store.server.client import connect

EVERY_S = 5.0


async def report_absences(settings: Settings, supervisor: Supervisor) -> None:
    """Report while there is anything to say, until the supervisor stops."""
    reported = False
    while not supervisor.stopping:
        await asyncio.sleep(EVERY_S)
        problems = supervisor.problems()
        if problems or reported:
            reported = await asyncio.to_thread(_report, settings, problems)


def _report(settings: Settings, problems: Mapping[str, str]) -> bool:
    """Return whether the server has a report of problems."""
    try:
        with connect(settings.working_url(), "up") as client:
            report_absent(client, socket.gethostname(), problems)
    except (redis.RedisError, ServerUnavailable):
        return True  # it may; the next one goes there
    return bool(problems)
