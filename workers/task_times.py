"""The times of the tasks of a process, which its commits count (`Work` of the ledger)."""

import time
from dataclasses import dataclass

from vtox.pipeline.store.ledger.outcomes import Work


@dataclass(slots=True)
class TaskTimes:
    """Times that are not counted yet; the next task counts the work after a task's last commit."""

    diagnosis_s: float = 0.0
    _tasks: int = 0
    _busy_s: float = 0.0
    _taken_s: float = 0.0
    _counted_s: float = 0.0

    def begin(self) -> None:
        """Note that a task was taken."""
        self._taken_s = self._counted_s = time.perf_counter()
        self._tasks += 1

    @property
    def counted(self) -> bool:
        """Whether the task is counted, be it with a record or without."""
        return not self._tasks

    def end(self) -> None:
        """Note that the task has ended."""
        now = time.perf_counter()
        self._busy_s += now - self._counted_s
        self._counted_s = now

    def take(self, worker: str) -> Work:
        """Return the work to be counted now."""
        self.end()
        taken_s = self._counted_s - self._taken_s
        work = Work(worker, self._tasks, self.diagnosis_s, self._busy_s, taken_s)
        self._tasks, self.diagnosis_s, self._busy_s = 0, 0.0, 0.0
        return work
