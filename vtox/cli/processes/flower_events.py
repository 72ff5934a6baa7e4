"""Events of Celery for Flower: tasks only while somebody looks."""

import time

from flower.events import Events

from vtox.pipeline.queues.task_events import ask_for

# An open page of Flower asks again within seconds; a page of tasks that is read for a while and
# then reloaded still has the events in between.
FLOWER_IDLE_S = 600.0


class OnDemandEvents(Events):  # type: ignore[misc]
    """Asks the workers for events of tasks after a request, until there was none for a while.

    A worker sends three events a task (received, started, succeeded), and Flower takes each in.
    Workers report themselves always; a request makes them report tasks at once.
    """

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self._looked_at: float | None = None
        # Workers may still send events that an earlier Flower asked for.
        self._wanted = True

    def look(self) -> None:
        """Take note of a request."""
        self._looked_at = time.monotonic()
        if not self._wanted:
            self._wanted = True
            self.io_loop.spawn_callback(self.on_enable_events)

    async def on_enable_events(self) -> None:
        """Ask all workers: new ones have not heard it yet. Flower calls this every 5 s."""
        at = self._looked_at
        if at is not None and time.monotonic() - at < FLOWER_IDLE_S:
            await self._ask_for(True)
        elif self._wanted:
            # If the broker is away: at the next call.
            self._wanted = not await self._ask_for(False)

    async def _ask_for(self, wanted: bool) -> bool:
        return bool(await self.io_loop.run_in_executor(None, ask_for, wanted))
