"""A separate PostgreSQL, in its own folder and on its own port.

Debian and Ubuntu: `apt-get install postgresql`. If it is not installed, its tests are skipped by
name.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cluster import free_ports
from tests.waiting import eventually

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
needs_postgresql = pytest.mark.skipif(
    not BINARIES, reason="PostgreSQL is not installed: apt-get install postgresql"
)
START_S = 30.0


@dataclass(slots=True)
class PostgreSQL:
    """One server; `start` and `stop` as often as a test wants."""

    folder: Path
    port: int
    # It refuses to run as root: then it runs as the user that its package has made.
    as_user: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    databases: int = 0

    def create(self) -> None:
        """Make the folder of its data."""
        options = ("--auth=trust", "--username=vtox", "--encoding=UTF8", "--no-sync")
        self._run("initdb", "-D", str(self.folder / "data"), *options)

    def start(self) -> None:
        """Start it and wait until it answers."""
        quick = ("fsync=off", "autovacuum=off", "listen_addresses=127.0.0.1")
        settings = (*quick, f"port={self.port}", f"unix_socket_directories={self.folder}")
        command = [BINARIES[-1], "-D", self.folder / "data"]
        for setting in settings:
            command += ["-c", setting]
        with open(os.devnull, "wb") as nowhere:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=nowhere, stderr=nowhere, **self.as_user
            )
        eventually(self.answers, START_S)

    def stop(self) -> None:
        """End it with all connections."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=20)

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        """The URL of one of its databases; everybody on this host may come."""
        return f"postgresql://vtox:unused@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Return the URL of a new empty database."""
        self.databases += 1
        name = f"history_{self.databases}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def _run(self, program: str, *arguments: str) -> None:
        command = [BINARIES[-1].parent / program, *arguments]
        subprocess.run(command, cwd=self.folder, capture_output=True, check=True, **self.as_user)


@contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """Run a server until the block ends."""
    # Not in the folder of the test run, through which its own user may not pass.
    folder = Path(tempfile.mkdtemp(prefix="vtox-postgresql-"))
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        shutil.chown(folder, user.pw_uid, user.pw_gid)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    (port,) = free_ports(1)
    server = PostgreSQL(folder, port, as_user)
    try:
        server.create()
        server.start()
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
