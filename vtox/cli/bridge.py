"""`vtox bridge`: the coordinator process alone, for those who start the processes themselves."""

from importlib import import_module

import typer

from vtox.cluster import logging_setup
from vtox.settings import load


def bridge() -> None:
    """Run the stream bridge and the monitor until stopped. `vtox up` does this for you."""
    logging_setup.setup("bridge")
    # Not at the top: it loads Celery with its settings, which need the server's address by then.
    import_module("vtox.coordinator").run(load())


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(bridge)
