"""A reply that is lost on its way: the server has handed windows out, the bridge never saw them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from urllib.parse import urlsplit

from tests.integration.helpers import add_window, bridging, counters, eventually
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.server.client import Client


class Cable:
    """A TCP connection through us to the server; once `cut`, the next windows read are lost."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.armed, self.cut, self.over = Event(), Event(), Event()
        self.pumps: list[Thread] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.1)

    def serve(self) -> None:
        """Connect each client, until it is over."""
        while not self.over.is_set():
            with suppress(TimeoutError):
                near = self.listener.accept()[0]
                far = socket.create_connection(("127.0.0.1", self.port))
                self._start(near, far, False)
                self._start(far, near, True)
        self.listener.close()

    def _start(self, source: socket.socket, sink: socket.socket, down: bool) -> None:
        thread = Thread(target=self._pump, args=(source, sink, down))
        self.pumps.append(thread)
        thread.start()

    def _pump(self, source: socket.socket, sink: socket.socket, down: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if down and self.armed.is_set() and b"machine_id" in data:
                    self.armed.clear()
                    self.cut.set()
                    break
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()


@contextmanager
def cabled(url: str) -> Iterator[tuple[Cable, str]]:
    """Yield a cable to the server of `url`, and the URL at its near end."""
    port = urlsplit(url).port
    assert port
    cable = Cable(port)
    serving = Thread(target=cable.serve)
    serving.start()
    try:
        yield cable, url.replace(f":{port}/", f":{cable.listener.getsockname()[1]}/")
    finally:
        cable.over.set()
        for thread in (serving, *cable.pumps):
            thread.join(timeout=30)
            assert not thread.is_alive()


def test_windows_of_a_lost_reply_are_read_again(client: Client, settings: Settings) -> None:
    assert settings.redis_url
    with cabled(settings.redis_url) as (cable, url), bridging(load(redis_url=url)) as sent:
        add_window(client, seq=0)
        eventually(lambda: sent)
        cable.armed.set()
        add_window(client, seq=1)
        eventually(cable.cut.is_set)
        add_window(client, seq=2)
        eventually(lambda: counters(client)["windows_in"] == 3)
        eventually(lambda: client.hlen(keys.ledger("turn_short")) == 3)
