"""A separate mosquitto, in its own folder and on its own port.

Debian and Ubuntu: `apt-get install mosquitto mosquitto-clients`. If it is not installed, its
tests are skipped by name.
"""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster import free_ports
from tests.waiting import eventually
from vtox.pipeline.cluster.ports import accepts_connections

# In /usr/sbin, which is not in the path of every user.
PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/sbin")
PUBLISH = shutil.which("mosquitto_pub")
SAVED = "Saving in-memory database"
SUBSCRIBED = "Sending SUBACK to vtox"
needs_mosquitto = pytest.mark.skipif(
    PROGRAM is None or PUBLISH is None,
    reason="mosquitto is not installed: apt-get install mosquitto mosquitto-clients",
)


@dataclass(slots=True)
class Mosquitto:
    """One broker that keeps its sessions; `start`, `stop` and `kill` as often as a test wants."""

    folder: Path
    port: int
    options: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL without user."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        assert PROGRAM
        listener = "" if "listener" in self.options else f"listener {self.port} 127.0.0.1\n"
        access = "" if "allow_anonymous" in self.options else "allow_anonymous true\n"
        kept = f"persistence true\npersistence_location {self.folder}/\n"
        limits = "max_queued_messages 0\nmax_inflight_messages 100\nlog_type all\n"
        file = self.folder / "mosquitto.conf"
        # Without `user` it gives up root, and with it this folder.
        file.write_text(f"user root\n{listener}{access}{kept}{limits}{self.options}\n")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([PROGRAM, "-c", str(file)], stdout=log, stderr=log)
        eventually(lambda: accepts_connections("127.0.0.1", self.port), 20, self.log)

    def stop(self) -> None:
        """Stop it in order: it saves its sessions."""
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=20)
            self.process = None

    def kill(self) -> None:
        """Kill it: unsaved messages are gone."""
        assert self.process
        self.process.kill()
        self.process.wait()
        self.process = None

    def save(self) -> None:
        """Make it save its state to disk, as it does every half hour."""
        assert self.process
        before = self.log().count(SAVED)
        self.process.send_signal(signal.SIGUSR1)
        eventually(lambda: self.log().count(SAVED) > before, 20)

    def publish(self, topic: str, payload: bytes, *options: str) -> None:
        """Publish one message with QoS 1, and wait until the broker has it."""
        assert PUBLISH
        command = [PUBLISH, "-p", str(self.port), "-V", "5", "-q", "1", "-t", topic, "-s", *options]
        subprocess.run(command, input=payload, check=True, timeout=20)

    def log(self) -> str:
        """Its log so far."""
        return (self.folder / "mosquitto.log").read_text()


def new_broker(folder: Path, options: str = "", port: int = 0) -> Mosquitto:
    """Return a broker in a new folder, not started."""
    folder.mkdir()
    return Mosquitto(folder, port or free_ports(1)[0], options)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that runs, for the tests of a file that imports this fixture."""
    running = new_broker(tmp_path / "mosquitto")
    running.start()
    yield running
    running.stop()
