"""Whether workers send Celery's events of tasks: received, started, succeeded."""

import structlog
from kombu.exceptions import OperationalError

from vtox.pipeline.queues.celery_app import app

log = structlog.get_logger()


def ask_for(wanted: bool) -> bool:
    """Ask all workers to send them or to leave it; return False if the broker is away."""
    tell = app.control.enable_events if wanted else app.control.disable_events
    try:
        tell()
    except OperationalError as error:
        log.warning("workers could not be informed about events", wanted=wanted, error=str(error))
        return False
    return True
