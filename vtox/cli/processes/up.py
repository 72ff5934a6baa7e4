"""`vtox up`: the whole system under one supervisor."""

import asyncio

import typer

from vtox.cli.shared.actor import actor
from vtox.pipeline.cluster import processes, supervised_run
from vtox.pipeline.cluster.cluster_log import ClusterLog, open_console
from vtox.pipeline.cluster.roles import NAMES, ROLES, host_roles
from vtox.pipeline.configuration.settings import load


def up(
    roles: list[str] = typer.Option(
        [],
        metavar="ROLE,...",
        help=f"Only these roles, on one of several hosts: {', '.join(NAMES)}.",
    ),
    without: list[str] = typer.Option(
        [], metavar="ROLE", help=f"Leave out a role: {', '.join(ROLES)}. Can be repeated."
    ),
) -> None:
    """Run the whole system: server, bridge, workers, recorder, API with its pages, Flower.

    Ctrl-C stops it in order. Settings are variables VTOX_*: see `vtox config show`.
    """
    settings = load()
    chosen = host_roles(settings, roles, without)
    specs = processes.cluster(settings, chosen)
    locked = supervised_run.exclusive_use(settings, specs)
    with locked, ClusterLog(settings.data_dir, open_console()) as log:
        supervised = supervised_run.supervisor(settings, specs, log, actor())
        asyncio.run(supervised_run.run_supervised(supervised, chosen))
