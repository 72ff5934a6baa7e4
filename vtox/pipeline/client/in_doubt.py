"""Windows that the server has and may yet lose: too few replicas have them, or had them in time.

A replica that takes the place of the primary may miss the last acknowledged windows. Windows that
are sent again count once.
"""

import time
from collections import deque
from typing import Generic, TypeVar

from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.durability import on_replicas

# How long to wait for replicas at a time.
WAIT_MS = 1000

T = TypeVar("T")


class InDoubt(Generic[T]):
    """Windows that were added, with the ids of their entries, in their order.

    `replicas` must have a window before it is confirmed. Then it is kept until one is confirmed
    `keep_s` after it. This time stops while nothing is confirmed, and continues from
    there when the window is sent again. So a second fail-over does not keep windows for longer than
    the bridge remembers them.
    """

    def __init__(self, replicas: int, keep_s: float) -> None:
        self.replicas = replicas
        self.keep_s = keep_s
        # Window, id of its entry, and its age, s, when the connection was lost: 0 of a new one.
        self.unconfirmed: list[tuple[T, str, float]] = []
        self._confirmed: deque[tuple[float, T]] = deque()

    def __bool__(self) -> bool:
        """Whether any would be sent again."""
        return bool(self.unconfirmed or self._confirmed)

    def confirm(self, client: Client) -> list[tuple[T, str]]:
        """Return the windows confirmed now: all that were added, or none.

        The client must report a lost connection: a new connection knows nothing of the added
        windows.
        """
        if self.replicas and not on_replicas(client, self.replicas, WAIT_MS):
            return []
        confirmed, self.unconfirmed = self.unconfirmed, []
        now = time.monotonic()
        if self.keep_s:
            self._confirmed.extend((now - age_s, window) for window, _, age_s in confirmed)
            while self._confirmed and self._confirmed[0][0] < now - self.keep_s:
                self._confirmed.popleft()
        return [(window, entry_id) for window, entry_id, _ in confirmed]

    def take_all(self) -> tuple[list[tuple[T, float]], list[T]]:
        """Return the confirmed windows with their age, s, and the unconfirmed; keep nothing."""
        newest_t = self._confirmed[-1][0] if self._confirmed else 0.0
        confirmed = [(window, newest_t - t) for t, window in self._confirmed]
        unconfirmed = [window for window, _, _ in self.unconfirmed]
        self._confirmed.clear()
        self.unconfirmed.clear()
        return confirmed, unconfirmed
