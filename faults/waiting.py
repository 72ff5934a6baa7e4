"""Waits for a condition; if it does not come true, reports the last lines of the logs."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

POLL_S = 0.05
LAST_LINES = 8


def wait_for(
    condition: Callable[[], bool], what: str, timeout_s: float, logs: Callable[[], Iterable[Path]]
) -> None:
    """Wait for a condition; the logs are looked for when time is up.

    Raises
    ------
    TimeoutError
        It did not come true; the message has the last lines of the logs.
    """
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"no {what} within {timeout_s:g} s\n{_last_lines(logs())}")
        time.sleep(POLL_S)


def _last_lines(logs: Iterable[Path]) -> str:
    text = []
    for path in logs:
        text += [f"--- {path}", *path.read_text(errors="replace").splitlines()[-LAST_LINES:]]
    return "\n".join(text)
