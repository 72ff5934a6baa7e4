"""A private Sentinel group: a primary, its replicas, and the sentinels that watch them.

The program is that of the embedded server, or `valkey-server` or `redis-server` of the system; each
is a Sentinel too (`--sentinel`). Every process may have its own address and command prefix
(`ip netns exec NAME`), so that the group can run on several hosts.
"""

import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import redis

from faults.waiting import wait_for
from vtox.pipeline.cluster.embedded_server import program

SERVICE = "vtox"
PASSWORD = "gr0up-s3cret"
SENTINEL_PASSWORD = "sentinel-s3cret"
START_S = 120.0
# Time limit of a fail-over, on a busy box.
FAILOVER_S = 240.0
# A node that is silent for this long is down; in deploy/redis it is 5 s.
DOWN_AFTER_MS = 2000
FAILOVER_TIMEOUT_MS = 10_000
# A client of a process that is stopped must not wait long.
TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class NodeTls:
    """Files of a node that speaks TLS only: its certificate, its key, and the authority of all."""

    certificate: Path
    key: Path
    ca: Path

    def lines(self, port: int) -> list[str]:
        """Return the lines of a configuration, for replicas and other sentinels too."""
        files = {"cert": self.certificate, "key": self.key, "ca-cert": self.ca}
        return [
            "port 0",
            f"tls-port {port}",
            "tls-replication yes",
            "tls-auth-clients no",
            *(f"tls-{name}-file {path}" for name, path in files.items()),
        ]


@dataclass(slots=True, kw_only=True)
class Node:
    """One process, a server or a sentinel."""

    folder: Path
    port: int
    host: str = "127.0.0.1"
    sentinel: bool = False
    prefix: Sequence[str] = ()
    tls: NodeTls | None = None
    # The user who may ask a server for its state.
    user: str = "default"
    password: str = PASSWORD
    program: Path | str = field(default_factory=program)
    process: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Path:
        """The file that it is started with, and rewrites itself."""
        return self.folder / "node.conf"

    @property
    def log(self) -> Path:
        """Log file of the node."""
        return self.folder / "node.log"

    def write_config(self, lines: Sequence[str]) -> None:
        """Write the file again; stored data of the node are kept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        own = [f"bind {self.host}", f'dir "{self.folder}"', 'logfile ""']
        own += self.tls.lines(self.port) if self.tls else [f"port {self.port}"]
        self.config.write_text("\n".join([*lines, *own]) + "\n")

    def start(self) -> None:
        """Start the process; it may take a moment before it answers."""
        role = ["--sentinel"] if self.sentinel else []
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, str(self.program), str(self.config), *role],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it runs."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a crash does."""
        self.signal(signal.SIGKILL)
        if self.process:
            self.process.wait()

    def client(self) -> redis.Redis:
        """Return a client of this process itself."""
        tls = {"ssl": True, "ssl_ca_certs": str(self.tls.ca)} if self.tls else {}
        return redis.Redis(
            host=self.host,
            port=self.port,
            username="default" if self.sentinel else self.user,
            password=SENTINEL_PASSWORD if self.sentinel else self.password,
            **tls,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=None,
        )

    def info(self, section: str) -> dict[str, object]:
        """Return a section of INFO, empty while it does not answer."""
        with suppress(redis.RedisError), self.client() as client:
            section_info: dict[str, object] = client.info(section)
            return section_info
        return {}


@dataclass(slots=True)
class SentinelGroup:
    """The processes of a group; the first server begins as the primary."""

    servers: list[Node]
    sentinels: list[Node]
    # More lines of the servers' configuration, `appendfsync always` or the like.
    more: Sequence[str] = ()
    down_after_ms: int = DOWN_AFTER_MS
    service: str = SERVICE
    # Passwords of the users `replica` and `sentinel`, if the servers have users of roles (`more`
    # then names their file); else all are `default`.
    passwords: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Start all, and wait until the primary has its replicas and the sentinels have met."""
        first = self.servers[0]
        for node in self.servers:
            follow = [] if node is first else [f"replicaof {first.host} {first.port}"]
            node.write_config([*server_lines(self.passwords), *self.more, *follow])
            node.start()
        self.wait(lambda: self._replicas_online(first), "replicas")
        for node in self.sentinels:
            node.write_config(self._sentinel_lines(first))
            node.start()
        self.wait(self._have_met, "sentinels that know each other")

    def stop(self) -> None:
        """End all."""
        nodes = [*self.sentinels, *self.servers]
        for node in nodes:
            node.signal(signal.SIGCONT)
            node.signal(signal.SIGTERM)
        for node in nodes:
            if node.process:
                try:
                    node.process.wait(5)
                except subprocess.TimeoutExpired:
                    node.kill()

    @property
    def url(self) -> str:
        """The URL for VTOX if there are no roles."""
        return self.url_of("default", PASSWORD)

    def url_of(self, user: str, password: str) -> str:
        """Return the URL for a user of the servers."""
        hosts = ",".join(f"{n.host}:{n.port}" for n in self.sentinels)
        own = f"sentinel_password={quote(SENTINEL_PASSWORD)}"
        scheme = "sentinels" if self.servers[0].tls else "sentinel"
        return f"{scheme}://{user}:{quote(password)}@{hosts}/0?service={self.service}&{own}"

    def primary(self) -> Node | None:
        """Return the server that the sentinels name as the primary, None if none answers."""
        for node in self.sentinels:
            with suppress(redis.RedisError), node.client() as client:
                host, port = client.execute_command(
                    "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.service
                )
                at = (host.decode(), int(port))
                return next((n for n in self.servers if (n.host, n.port) == at), None)
        return None

    def replicas(self) -> list[Node]:
        """Return the other servers."""
        primary = self.primary()
        return [n for n in self.servers if n is not primary]

    def wait_for_new_primary(self, old: Node, timeout_s: float = FAILOVER_S) -> Node:
        """Wait until another server is named as the primary and acts as one; return it."""
        found: list[Node] = []

        def promoted() -> bool:
            new = self.primary()
            if new is None or new is old or new.info("replication").get("role") != "master":
                return False
            found.append(new)
            return True

        self.wait(promoted, "new primary", timeout_s)
        return found[0]

    def wait_until_whole(self, timeout_s: float = FAILOVER_S) -> None:
        """Wait until every other server follows the primary."""
        self.wait(lambda: self._replicas_online(self.primary()), "replicas", timeout_s)

    def wait(self, condition: Callable[[], bool], what: str, timeout_s: float = START_S) -> None:
        """Wait for a condition as `wait_for` does."""
        nodes = (*self.servers, *self.sentinels)
        wait_for(condition, what, timeout_s, lambda: (n.log for n in nodes if n.log.exists()))

    def _replicas_online(self, primary: Node | None) -> bool:
        if primary is None:
            return False
        info = primary.info("replication")
        replicas = [info.get(f"slave{i}") for i in range(len(self.servers) - 1)]
        return info.get("role") == "master" and all(
            isinstance(r, Mapping) and r.get("state") == "online" for r in replicas
        )

    def _have_met(self) -> bool:
        """Whether each sentinel knows all others, and all replicas."""
        for node in self.sentinels:
            try:
                with node.client() as client:
                    state = client.sentinel_master(self.service)
            except redis.RedisError:
                return False
            others, replicas = state["num-other-sentinels"], state["num-slaves"]
            if others < len(self.sentinels) - 1 or replicas < len(self.servers) - 1:
                return False
        return True

    def _sentinel_lines(self, primary: Node) -> list[str]:
        quorum = len(self.sentinels) // 2 + 1
        name = self.service
        user = [f"sentinel auth-user {name} sentinel"] if self.passwords else []
        return [
            f"requirepass {SENTINEL_PASSWORD}",
            f"sentinel monitor {name} {primary.host} {primary.port} {quorum}",
            *user,
            f"sentinel auth-pass {name} {self.passwords.get('sentinel', PASSWORD)}",
            f"sentinel down-after-milliseconds {name} {self.down_after_ms}",
            f"sentinel failover-timeout {name} {FAILOVER_TIMEOUT_MS}",
            f"sentinel parallel-syncs {name} 1",
        ]


def server_lines(passwords: Mapping[str, str]) -> list[str]:
    """Return the configuration of a server, as in deploy/redis/valkey.conf where it matters."""
    login = [f"requirepass {PASSWORD}", f"masterauth {PASSWORD}"]
    if passwords:
        login = ["masteruser replica", f"masterauth {passwords['replica']}"]
    return [
        *login,
        "protected-mode no",
        'save ""',
        "appendonly yes",
        "aof-use-rdb-preamble yes",
        "repl-diskless-sync-delay 0",
        "maxmemory-policy noeviction",
    ]


def local_group(
    folder: Path,
    ports: Sequence[int],
    *,
    replicas: int = 2,
    more: Sequence[str] = (),
    down_after_ms: int = DOWN_AFTER_MS,
) -> SentinelGroup:
    """Return a group on this host: as many sentinels as ports are left."""
    servers = [Node(folder=folder / f"server-{p}", port=p) for p in ports[: replicas + 1]]
    sentinels = [
        Node(folder=folder / f"sentinel-{p}", port=p, sentinel=True) for p in ports[replicas + 1 :]
    ]
    return SentinelGroup(servers, sentinels, more, down_after_ms)


@contextmanager
def sentinel_group(
    folder: Path,
    ports: Sequence[int],
    *,
    replicas: int = 2,
    more: Sequence[str] = (),
    down_after_ms: int = DOWN_AFTER_MS,
) -> Iterator[SentinelGroup]:
    """Run such a group until the block ends."""
    group = local_group(folder, ports, replicas=replicas, more=more, down_after_ms=down_after_ms)
    try:
        group.start()
        yield group
    finally:
        group.stop()
