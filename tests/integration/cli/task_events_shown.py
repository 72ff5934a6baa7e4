"""A remote control command of a test's worker: whether it sends events of tasks."""

from typing import Any

from celery.worker.control import inspect_command


@inspect_command()  # type: ignore[untyped-decorator]
def task_events_shown(state: Any) -> bool:
    """Return whether it does, and change nothing."""
    groups = state.consumer.event_dispatcher.groups
    return not groups or "task" in groups
