"""`vtox recorder`: the recorder alone, for users who start the processes themselves."""

import typer

from vtox.cluster import logging_setup
from vtox.cluster.signal_handlers import stop_event
from vtox.settings import load
from vtox.store.agreement import of_readers, require_agreement
from vtox.store.client import check_when_loaded, connect


def recorder() -> None:
    """Record the history in SQL until stopped. `vtox up` does this for you.

    VTOX_DATABASE_URL leads to PostgreSQL; without it, history.sqlite of the data folder is used.
    """
    logging_setup.setup("recorder")
    # Not at the top: it loads SQLAlchemy, for which `vtox --help` should not wait.
    from vtox.history.database import engine_to_write
    from vtox.history.recorder import Recorder

    settings = load()
    stop = stop_event()
    client = connect(settings.working_url(), "recorder")
    check_when_loaded(client)
    require_agreement(client, settings, part=of_readers)
    # What no second try would mend ends the start.
    engine_to_write(settings).dispose()
    Recorder(client, settings).run(stop)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(recorder)
