"""How many processes of a worker's pool can take a task, as Celery's pool knows it."""

from typing import Any

# Code of the health port while there is none.
NO_PROCESS = "worker_without_process"


def processes_up(pool: Any) -> int:
    """Return how many processes of a pool have reported that they are up.

    Celery forks another one as soon as one is lost. On a busy host it is up many seconds later.
    """
    processes = pool._pool  # None once the worker stops
    return len(processes._fileno_to_inq) if processes else 0
