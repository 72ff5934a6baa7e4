"""`vtox recorder`: the recorder alone, for users who start the processes themselves."""

from contextlib import suppress
from typing import Annotated

import typer

from vtox.cli.shared.server_access import load_of_plant, running_server, stopped
from vtox.pipeline.cluster import logging_setup
from vtox.pipeline.cluster.signal_handlers import stop_event
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.store.server.client import check_when_loaded, connect
from vtox.pipeline.store.system.agreement import reader_terms, require_agreement


def recorder(
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Record nothing; recover rows of a damaged file."),
    ] = False,
) -> None:
    """Record the history in SQL until stopped. `vtox up` does this for you.

    VTOX_DATABASE_URL leads to PostgreSQL; without it, history.sqlite of the data folder is used.
    """
    if repair:
        _repair(load_of_plant())
        return
    logging_setup.setup("recorder")
    # Not at the top: it loads SQLAlchemy, for which `vtox --help` should not wait.
    from vtox.reporting.history.database import engine_to_write
    from vtox.reporting.history.recorder import Recorder
    from vtox.reporting.notification.rules import read_zone

    settings = load()
    stop = stop_event()
    client = connect(settings.working_url(), "recorder")
    check_when_loaded(client)
    require_agreement(client, settings, part=reader_terms)
    # An error that no second try would fix ends the start.
    engine_to_write(settings).dispose()
    Recorder(client, settings, read_zone(settings)).run(stop)


def _repair(settings: Settings) -> None:
    from vtox.reporting.backup.restoring import require_stopped
    from vtox.reporting.history.repair import repair

    with stopped(settings):
        with suppress(ServerUnavailable), running_server(settings) as client:
            require_stopped(client)
        found = repair(settings)
    if found is None:
        typer.echo("the history is whole; nothing was changed")
        return
    kept, rows = found
    typer.echo(f"the damaged history is kept as {kept}; rows that were recovered:")
    for table, n in rows.items():
        typer.echo(f"{table:18} {n:>12}")
