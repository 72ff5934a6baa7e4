"""`vtox bridge`: the coordinator process alone, for users who start the processes themselves."""

from vtox.pipeline.cluster import logging_setup
from vtox.pipeline.configuration.settings import load


def bridge() -> None:
    """Run the stream bridge and the monitor until stopped. `vtox up` does this for you."""
    logging_setup.setup("bridge")
    # Not at the top: it loads Celery, for which `vtox --help` should not wait.
    from vtox.pipeline.monitoring import coordinator

    coordinator.run(load())
