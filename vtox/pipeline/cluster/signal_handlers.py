"""Signals that ask a process to stop."""

import asyncio
import signal
import threading
from collections.abc import Callable


class SignalHandlers:
    """Calls back, in the running event loop, on SIGTERM, SIGINT and SIGHUP while inside.

    On SIGUSR1 it calls `on_drain`.
    """

    def __init__(self, callback: Callable[[], None], on_drain: Callable[[], None]) -> None:
        self.callback = callback
        self.on_drain = on_drain

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self.previous = {
            number: signal.getsignal(number)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
            # nohup ignores SIGHUP: then so do we.
            if signal.getsignal(number) != signal.SIG_IGN
        }
        for number in self.previous:
            call = self.on_drain if number == signal.SIGUSR1 else self.callback
            signal.signal(number, lambda *_, call=call: loop.call_soon_threadsafe(call) and None)

    def __exit__(self, *_: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)


def stop_event() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set from now on."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
