"""`vtox recorder`: the recorder alone, for users who start the processes themselves."""

import typer

from vtox.cluster import logging_setup
from vtox.cluster.signal_handlers import stop_event
from vtox.settings import load
from vtox.store.agreement import of_readers, require_agreement
from vtox.store.servers import connect_servers, responding


def recorder() -> None:
    """Record the history in SQL until stopped. `vtox up` does this for you.

    VTOX_DATABASE_URL leads to PostgreSQL; without it, history.sqlite of the data folder is used.
    """
    logging_setup.setup("recorder")
    # Not at the top: it loads SQLAlchemy, for which `vtox --help` should not wait.
    from vtox.history.database import engine_to_write
    from vtox.history.recorder import run as record

    settings = load()
    stop = stop_event()
    servers = connect_servers(settings.shared_urls(), "recorder")
    for client in responding(servers):
        require_agreement(client, settings, part=of_readers)
    # What no second try would mend ends the start.
    engine_to_write(settings).dispose()
    record(servers, settings, stop)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(recorder)
