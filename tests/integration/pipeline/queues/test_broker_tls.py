"""An `amqps://` broker must show a certificate that we trust, for the very host of its URL."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest

from vtox.pipeline.errors import BrokerUnavailable
from vtox.pipeline.queues import broker

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")


def certificate(folder: Path, name: str) -> Path:
    """Make a certificate that is its own CA, and its key next to it; return its file."""
    file = folder / f"{name}.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    command += ["-keyout", str(file.with_suffix(".key")), "-out", str(file)]
    subprocess.run(command, check=True, capture_output=True)
    return file


@contextmanager
def tls_server(file: Path) -> Iterator[int]:
    """Shake hands with every client, then leave; yield the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, file.with_suffix(".key"))
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client, suppress(OSError), context.wrap_socket(client, server_side=True):
                    pass

    thread = Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.parametrize(
    ("shown", "trusted", "refused"),
    [
        ("localhost", "localhost", False),
        ("localhost", "stranger", True),
        ("other.example", "other.example", True),
    ],
)
def test_only_a_trusted_certificate_of_the_host_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: str, trusted: str, refused: bool
) -> None:
    files = {name: certificate(tmp_path, name) for name in {shown, trusted}}
    with tls_server(files[shown]) as port:
        monkeypatch.setenv(
            "VTOX_BROKER_URL", f"amqps://u:p@localhost:{port}?ssl_ca_certs={files[trusted]}"
        )
        with pytest.raises(BrokerUnavailable) as failed:
            broker.product()
    assert ("certificate verify failed" in str(failed.value)) is refused
