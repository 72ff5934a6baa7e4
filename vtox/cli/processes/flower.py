"""`vtox flower`: Flower alone, for users who start the processes themselves."""

from vtox.pipeline.cluster import logging_setup
from vtox.pipeline.configuration.settings import load


def flower() -> None:
    """Run Flower until stopped, on loopback and read-only. `vtox up` does this for you.

    Outside development it asks for the user `vtox` and a password: VTOX_FLOWER_PASSWORD, or the one
    in the file `flower-password` of the data folder.
    """
    logging_setup.setup("flower")
    # Not at the top: it loads Celery and Flower, for which `vtox --help` should not wait.
    from vtox.cli.processes import flower_server

    flower_server.run(load())
