"""A separate RabbitMQ, in its own folder and on its own ports, without systemd.

Debian and Ubuntu: `apt-get install rabbitmq-server`. If it is not installed, its tests are
skipped by name.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from amqp.exceptions import AccessRefused
from kombu import Connection

from tests.cluster import free_ports
from tests.waiting import eventually

# Not the wrapper in /usr/sbin, which changes to the user `rabbitmq` and its folders.
BIN = Path("/usr/lib/rabbitmq/bin")
PROGRAM = BIN / "rabbitmq-server"
START_S = 60.0
needs_rabbitmq = pytest.mark.skipif(
    not PROGRAM.exists(), reason="RabbitMQ is not installed: apt-get install rabbitmq-server"
)


@dataclass(slots=True)
class RabbitMQ:
    """One node; `start` and `kill` as often as a test wants."""

    folder: Path
    port: int
    environment: dict[str, str]
    ca: Path | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL of its broker; this user may come from this host only."""
        place = "amqps://guest:guest@localhost" if self.ca else "amqp://guest:guest@127.0.0.1"
        return f"{place}:{self.port}//"

    def start(self) -> None:
        """Start the node and wait until it answers."""
        with (self.folder / "rabbitmq.log").open("ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM], env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        eventually(
            self.answers, START_S, lambda: (self.folder / "rabbitmq.log").read_text()[-3000:]
        )

    def answers(self) -> bool:
        """Whether it takes connections; a node that read definitions has made no user `guest`."""
        try:
            tls = {"ca_certs": str(self.ca)} if self.ca else None
            with Connection(self.url, connect_timeout=2, ssl=tls) as connection:
                connection.ensure_connection(max_retries=0)
                return True
        except AccessRefused:
            return True
        except Exception:  # of a node that starts, whatever the transport raises
            return False

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the node and to all that it started."""
        assert self.process is not None
        shell = psutil.Process(self.process.pid)
        for p in [*shell.children(recursive=True), shell]:
            try:
                p.send_signal(number)
            except psutil.NoSuchProcess:
                continue

    def kill(self) -> None:
        """End it as a crash would."""
        self.signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(timeout=10)

    def control(self, *arguments: str) -> str:
        """Run `rabbitmqctl`."""
        done = subprocess.run(
            [BIN / "rabbitmqctl", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


@contextmanager
def rabbitmq(folder: Path, configuration: str = "", ca: Path | None = None) -> Iterator[RabbitMQ]:
    """Run a node until the block ends, by a configuration whose port is replaced."""
    folder.mkdir(exist_ok=True)
    port, distribution, epmd = free_ports(3)
    if ca:
        written = re.sub(r"(listeners\.ssl\.\w+ = ).*", rf"\g<1>{port}", configuration)
    else:
        written = f"listeners.tcp.1 = 127.0.0.1:{port}\n"
    (folder / "rabbitmq.conf").write_text(written)
    (folder / "plugins").write_text("[].\n")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(epmd),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"vtox-{port}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }
    node = RabbitMQ(folder, port, environment, ca)
    try:
        node.start()
        yield node
    finally:
        node.signal(signal.SIGCONT)
        node.kill()
        # The name service of Erlang outlives the nodes, and only then may be ended.
        end = ["epmd", "-port", str(epmd), "-kill"]
        eventually(
            lambda: subprocess.run(end, env=environment, capture_output=True).returncode == 0
        )


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """A node for the tests of a module, which import this fixture."""
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as running:
        yield running
