"""The proxy forwards, cuts, freezes, silences, delays and cuts short."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from faults.proxy import Link, Links


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that sends its input back."""
    listener = socket.create_server(("127.0.0.1", 0))

    def repeat(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while data := connection.recv(1 << 16):
                connection.sendall(data)

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=repeat, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def link(echo: int) -> Iterator[Link]:
    links = Links(lambda: echo)
    yield links.add("a")
    links.close()


def connect(link: Link) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), timeout=20)


def is_silent(s: socket.socket, text: bytes) -> bool:
    """Say something, and return whether nothing comes back for a while."""
    s.settimeout(0.3)
    try:
        said(s, text)
    except TimeoutError:
        s.settimeout(20)
        return True
    return False


def said(s: socket.socket, text: bytes) -> bytes:
    s.sendall(text)
    return s.recv(1 << 16)


def ended(s: socket.socket) -> bool:
    try:
        return s.recv(1) == b""
    except ConnectionError:
        return True


def test_it_forwards(link: Link) -> None:
    with connect(link) as s:
        assert said(s, b"a") == b"a"


def test_a_cut_ends_connections_and_lets_new_ones_in(link: Link) -> None:
    with connect(link) as s:
        assert said(s, b"a") == b"a"
        link.cut()
        assert ended(s)
    with connect(link) as s:
        assert said(s, b"a") == b"a"


def test_a_frozen_link_is_silent_and_delivers_late(link: Link) -> None:
    with connect(link) as s:
        assert said(s, b"a") == b"a"
        link.freeze()
        assert is_silent(s, b"b")
        link.thaw()
        assert s.recv(10) == b"b"


def test_a_half_open_connection_never_speaks_again(link: Link) -> None:
    with connect(link) as s:
        assert said(s, b"a") == b"a"
        link.half_open()
        assert is_silent(s, b"b")
        link.thaw()
        assert is_silent(s, b"c")
        with connect(link) as new:
            assert said(new, b"d") == b"d"


def test_a_link_can_be_slow(link: Link) -> None:
    with connect(link) as s:
        link.delay_s = 0.1
        began = time.monotonic()
        assert said(s, b"a") == b"a"
        assert time.monotonic() - began >= 0.2, "there and back"


def test_a_link_that_refuses_lets_nobody_in(link: Link) -> None:
    link.refusing = True
    with connect(link) as s:
        assert ended(s)


def test_a_message_can_be_cut_short(link: Link) -> None:
    with connect(link) as s:
        assert said(s, b"a") == b"a"
        link.cut_after(4)
        s.sendall(b"0123456789")
        heard = b""
        with suppress(OSError):
            while data := s.recv(100):
                heard += data
        assert heard in (b"", b"0123"), "at most what passed before the cut"
        assert link.bytes_left is None
