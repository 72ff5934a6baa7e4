"""Asks the API, as a load balancer does, whether it lives and is ready."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

EVERY_S = 0.25
# Time limit of an answer on two idle cores.
TIMEOUT_S = 4.0
LIVE, READY = "/health/live", "/health/ready"


class Probe:
    """Two threads that note the API's status codes and their times; 0 if it does not answer."""

    def __init__(self, port: int, host: str = "127.0.0.1", *, slowness: float = 1.0) -> None:
        self.url = f"http://{host}:{port}"
        self.timeout_s = TIMEOUT_S * slowness
        self.answers: dict[str, list[tuple[float, int]]] = {LIVE: [], READY: []}
        self._stop = threading.Event()

    @contextmanager
    def probing(self) -> Iterator["Probe"]:
        """Probe until the block ends."""
        threads = [threading.Thread(target=self._run, args=(p,), daemon=True) for p in self.answers]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(timeout=2 * self.timeout_s)

    def wait_for(self, path: str, status: int, after: float, timeout_s: float) -> float:
        """Return how long after `after` a question was answered with `status`; else infinity."""
        end = after + timeout_s
        while time.monotonic() < end:
            for t, answer in list(self.answers[path]):
                if t >= after and answer == status:
                    return round(t - after, 2)
            time.sleep(0.05)
        return timeout_s

    def share(self, path: str, status: int) -> float:
        """Return the share of answers that had `status`."""
        answers = [answer for _, answer in self.answers[path]]
        return round(answers.count(status) / len(answers), 3) if answers else 0.0

    def _run(self, path: str) -> None:
        with httpx.Client(base_url=self.url, timeout=self.timeout_s) as client:
            while not self._stop.wait(EVERY_S):
                try:
                    status = client.get(path).status_code
                except httpx.HTTPError:
                    status = 0
                # Time at which the answer arrived: a slow one says nothing about the time before.
                self.answers[path].append((time.monotonic(), status))
