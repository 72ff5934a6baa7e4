"""Allowed targets of a webhook: names are resolved once, and certificates are of the name."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.reporting.notification.conftest import hook
from tests.integration.reporting.notification.receiver import Receiver, receiving
from tests.tls_server import authority
from vtox.reporting.notification import addresses, webhook
from vtox.reporting.notification.attempt import Attempt
from vtox.reporting.notification.rules import Target

BODY = b'{"type": "test"}'


def send(receiver: Receiver, **more: Any) -> Attempt:
    target = Target.model_validate(hook(receiver) | more)
    return webhook.send("hook", target, "vtox_test_1", BODY)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let names resolve to these addresses, each time to the next; return the names looked up."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in found]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433"])
def test_a_private_address_is_refused_however_it_is_written(receiver: Receiver, host: str) -> None:
    url = f"https://{host}:{receiver.port}/"
    assert send(receiver, url=url, networks=[]).problem == "address_refused"
    other = send(receiver, url=url, networks=["10.0.0.0/8"])
    assert (other.problem, receiver.requests) == ("address_refused", [])


def test_a_name_is_resolved_once_and_that_address_is_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://hook.example:{receiver.port}/"
    asked = resolving(monkeypatch, ["127.0.0.1"], ["169.254.169.254"])
    assert send(receiver, url=url).is_delivered
    assert asked == ["hook.example"]
    assert receiver.requests[0].headers["host"] == f"hook.example:{receiver.port}"
    # The other way round: a name that is private the first time is not looked up again.
    asked = resolving(monkeypatch, ["169.254.169.254"], ["127.0.0.1"])
    assert send(receiver, url=url).problem == "address_refused"
    assert (len(asked), len(receiver.requests)) == (1, 1)


def test_an_address_that_nobody_answers_at_is_not_the_last(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving(monkeypatch, ["169.254.169.254", "127.0.0.2", "127.0.0.1"])
    assert send(receiver, url=f"http://hook.example:{receiver.port}/").is_delivered


def test_a_proxy_of_the_environment_is_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert send(receiver).is_delivered


def test_a_name_without_an_address_is_said(receiver: Receiver) -> None:
    url = f"https://nowhere.invalid:{receiver.port}/"
    assert send(receiver, url=url).problem == "name_not_resolved"


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[Receiver, Path]]:
    """A receiver whose certificate is that of localhost, and its CA."""
    made = authority(tmp_path / "ca")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*made.sign("hook"))
    with receiving(started=False) as receiver:
        receiver.tls = context
        receiver.start()
        yield receiver, made.ca


def test_the_certificate_must_be_of_the_name_and_of_a_ca_that_is_trusted(
    tls: tuple[Receiver, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, ca = tls
    here = f"https://localhost:{receiver.port}/"
    resolving(monkeypatch, ["127.0.0.1"])
    assert send(receiver, url=here, ca_file=ca).is_delivered
    assert send(receiver, url=here).problem == "tls_failed"
    elsewhere = f"https://hook.example:{receiver.port}/"
    assert send(receiver, url=elsewhere, ca_file=ca).problem == "tls_failed"
    assert len(receiver.requests) == 1
