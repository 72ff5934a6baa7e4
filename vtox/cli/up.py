"""`vtox up`: the whole system under one supervisor."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer

from vtox.cluster import processes
from vtox.cluster.cluster_log import Journal, open_console
from vtox.cluster.embedded_server import binary
from vtox.cluster.file_lock import try_lock
from vtox.cluster.ports import require_distinct, require_free, url
from vtox.cluster.processes import Role
from vtox.cluster.supervisor import Supervisor
from vtox.errors import InputError, SystemStateError
from vtox.settings import Settings, load, mistyped
from vtox.store.apikeys import require_keys
from vtox.store.client import check, connect


def up(
    without: list[str] = typer.Option(
        [], help=f"Leave out a role: {', '.join(processes.WITHOUT)}. May be given again."
    ),
) -> None:
    """Run the whole system: server, bridge, workers, API with its page, and Flower.

    Ctrl-C stops it in order. Settings are variables VTOX_*: see `vtox config show`.
    """
    for name in without:
        if name not in processes.WITHOUT:
            raise InputError(f"--without {name}: expected one of {', '.join(processes.WITHOUT)}")
    settings = load()
    plan = processes.cluster(settings, without)
    with prepared(settings, plan), Journal(settings.data_dir, open_console()) as journal:
        asyncio.run(supervisor(settings, plan, journal).run())


def supervisor(settings: Settings, plan: Sequence[Role], journal: Journal) -> Supervisor:
    """Return the supervisor of `plan`, which says where everything is once it is up."""

    def admit() -> None:
        with connect(settings.working_url(), "up") as client:
            check(client)
            require_keys(client, settings)

    def on_ready() -> None:
        journal.say("VTOX is up", **addresses(settings, plan))

    for words in mistyped():
        journal.say(words, level="warning")
    return Supervisor(plan, settings, journal, admit=admit, on_ready=on_ready)


@contextmanager
def prepared(settings: Settings, plan: Sequence[Role]) -> Iterator[None]:
    """Hold the data folder for this instance, after checking all that can be known beforehand.

    Raises
    ------
    VtoxError
        Two settings ask for one port, no server is to be had, the data folder is another
        instance's, or a port is taken.
    """
    require_distinct(processes.claims(settings, plan))
    if settings.redis_url:
        with connect(settings.redis_url, "up") as client:
            check(client)
    elif any(r.name == "server" for r in plan):
        binary()
    held = try_lock(settings.data_dir / "cluster.lock")
    if held is None:
        raise SystemStateError(
            f"another vtox runs on {settings.data_dir}: stop it, or run a second one with its own "
            "VTOX_DATA_DIR and ports"
        )
    try:
        require_free(processes.ports(settings, plan))
        yield
    finally:
        os.close(held)


def addresses(settings: Settings, plan: Sequence[Role]) -> dict[str, str]:
    """Return what a person may want to open, by name."""
    names = {r.name for r in plan}
    found = {}
    if "api" in names:
        found["page"] = url(settings.api_host, settings.api_port)
    if "flower" in names:
        found["flower"] = url("", settings.flower_port)
    return found | {"log": str(settings.data_dir / "cluster.log")}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)
