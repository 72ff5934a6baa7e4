"""A Redis or Valkey server of the system's packages, with certificates made for the test."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.cluster import free_ports
from tests.waiting import eventually
from vtox.pipeline.cluster.ports import accepts_connections

PASSWORD = "t1s-s3cret"
PROGRAMS = ("valkey-server", "redis-server")


@cache
def system_server() -> str | None:
    """Return a server program of the system's packages that can do TLS, None without one."""
    for name in PROGRAMS:
        if (path := shutil.which(name)) and shutil.which("openssl"):
            # A program without TLS ends at once with an error about the unknown option.
            tried = subprocess.run(
                [path, "--port", "0", "--tls-port", "1", "--tls-cert-file", "/none"],
                capture_output=True,
                text=True,
                check=False,
            )
            if "tls" in tried.stdout + tried.stderr and "Bad directive" not in tried.stderr:
                return path
    return None


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority in a separate folder."""

    folder: Path

    @property
    def ca(self) -> Path:
        """Its own certificate."""
        return self.folder / "ca.pem"

    def sign(self, name: str, host: str = "localhost", *validity: str) -> tuple[Path, Path]:
        """Return a certificate for a host, and its key."""
        key, request, cert = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName=DNS:{host}\n")
        new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        openssl("req", *new_key, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        signed = ("-CA", self.ca, "-CAkey", self.folder / "ca.key", "-extfile", extensions)
        openssl(
            "x509", "-req", "-in", request, *signed, *(validity or ("-days", "1")), "-out", cert
        )
        return cert, key


def authority(folder: Path) -> Authority:
    """Make a certificate authority."""
    folder.mkdir()
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    files = ("-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    # Without it Python 3.13 trusts none of its certificates.
    usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl("req", "-x509", *new_key, *files, *usage, "-days", "1", "-subj", f"/CN={folder.name}")
    return Authority(folder)


def openssl(*arguments: str | Path) -> None:
    """Run openssl quietly."""
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@contextmanager
def tls_server(
    ca: Path, cert: tuple[Path, Path], *, clients: str = "no", more: Sequence[str] = ()
) -> Iterator[int]:
    """Run the system's server with TLS only; yield its port. `clients`: must they have one too?"""
    program = system_server()
    assert program
    (port,) = free_ports(1)
    options = {
        "port": "0",
        "tls-port": str(port),
        "bind": "127.0.0.1",
        "tls-ca-cert-file": str(ca),
        "tls-cert-file": str(cert[0]),
        "tls-key-file": str(cert[1]),
        "tls-auth-clients": clients,
        "requirepass": PASSWORD,
        "save": "",
        "dir": str(ca.parent),
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    process = subprocess.Popen([program, *words, *more], stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: accepts_connections("", port))
        yield port
    finally:
        process.terminate()
        process.wait(10)
