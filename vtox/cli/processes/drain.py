"""`vtox drain`: empties this host, so that nothing is left to be dispatched again."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any, TextIO

import redis
import typer

from vtox.motor.errors import SystemStateError
from vtox.motor.faults import FAMILIES
from vtox.pipeline.cluster.cluster_log import FILE
from vtox.pipeline.cluster.file_lock import holder_pid
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.store.ledger.heartbeats import Worker
from vtox.pipeline.store.server.client import connect
from vtox.pipeline.store.system.agreement import read_parties

POLL_S = 0.2
OWN_ROLE = "vtox"
LOCK = "cluster.lock"


def drain() -> None:
    """Let the workers of this host finish their tasks, hand the stream over, and stop all.

    It waits as long as that takes, and lists the ended processes. Other hosts go on with the work.
    """
    settings = load()
    pid = supervisor_pid(settings)
    if settings.redis_url is None:
        raise SystemStateError(
            "this host runs the server itself: there is nowhere to drain it to",
            remedy="stop `vtox up` by Ctrl-C or SIGTERM; it finishes what its workers have",
        )
    for queue in exclusive_queues(settings):
        typer.echo(f"no other host serves {queue}: its records will wait", err=True)
    began = time.monotonic()
    with (settings.data_dir / FILE).open() as log:
        log.seek(0, os.SEEK_END)
        os.kill(pid, signal.SIGUSR1)
        running = True
        while running:
            time.sleep(POLL_S)
            # Its pid may stay: of a process whose end its parent has not asked for.
            running = holder_pid(settings.data_dir / LOCK) == pid
            for entry in _own_entries(log):
                typer.echo(entry["event"])
    typer.echo(f"this host is empty after {time.monotonic() - began:.1f} s")


def supervisor_pid(settings: Settings) -> int:
    """Return the pid of the `vtox up` of this data folder.

    Raises `SystemStateError`: none runs, or one that cannot be drained.
    """
    pid = holder_pid(settings.data_dir / LOCK)
    if pid is None:
        raise SystemStateError(
            f"no `vtox up` runs on {settings.data_dir}",
            remedy="set VTOX_DATA_DIR as it was for `vtox up`; processes of systemd end by "
            "`systemctl stop`, those of Kubernetes by `kubectl drain`",
        )
    return pid


def exclusive_queues(settings: Settings) -> list[str]:
    """Return the queues that only workers of this host serve; none if that is not known."""
    try:
        with connect(settings.working_url(), "drain") as client:
            elsewhere = {
                queue
                for p in read_parties(client)
                if isinstance(p, Worker) and p.host != socket.gethostname()
                for queue in p.queues
            }
    except (redis.RedisError, ServerUnavailable):
        return []
    return [f.queue for f in FAMILIES.values() if f.queue not in elsewhere]


def _own_entries(log: TextIO) -> Iterator[dict[str, Any]]:
    """Yield the entries that the supervisor has written since."""
    for line in log:
        try:
            entry = json.loads(line)
        except ValueError:  # half a line: the rest follows in a moment
            continue
        if entry.get("role") == OWN_ROLE:
            yield entry
