"""A VTOX on three hosts: server, bridge and API on `a`, workers on `b` and `c`, vehicles on `c`.

Every process comes to the server by TLS, under the user of its role, with one file of URLs.
"""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from typing import Any

import httpx
import psutil
import redis

from faults.history import History
from faults.hosts.network import Network, open_network
from faults.parts import STOP_S, Part, children, end_parts
from faults.sentinel_group import Node, NodeTls, SentinelGroup
from faults.system import Options, System
from tests.tls_server import Authority, authority, system_server
from vtox.motor.faults import FAMILIES
from vtox.pipeline.cluster.server_users import GROUP_USERS, ROLES, acl_file, sha256
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.server.client import Client, connect, server_time
from vtox.pipeline.store.system import apikeys

HOSTS = ("a", "b", "c")
SERVER_HOST, VEHICLES_HOST = "a", "c"
WORKER_HOSTS = ("b", "c")
WORKERS_A_HOST = 3
SERVER_PORT, SENTINEL_PORT, API_PORT = 6390, 26390, 8100
MEMORY = ("maxmemory 2048mb",)
# The relevant lines of deploy/redis/replication.conf.
SHIPPED_REPLICATION = ("min-replicas-to-write 1", "min-replicas-max-lag 5")
# A dozen processes start at once, on the cores that the box has left.
START_S = 300.0
ROOT = Path(__file__).parents[2]
OF_A_PLACE = ("aclfile", "dir", "port")
SERVER_CONFIG = ROOT / "deploy/redis/valkey.conf"


class Hosts(System):
    """The processes of all hosts; `running` starts and stops them."""

    network: Network

    def __init__(self, folder: Path, history: History, options: Options) -> None:
        options.supervised = True
        super().__init__(folder, history, options)
        self.executions = folder / "executions.txt"
        self.passwords = {name: secrets.token_hex(16) for name in ("admin", *ROLES, *GROUP_USERS)}
        self.host_of: dict[str, str] = {}
        # Host -> further settings of its workers.
        self.workers: dict[str, dict[str, str]] = {host: {} for host in WORKER_HOSTS}
        # Folder of an earlier version of VTOX, with which the workers of `b` begin.
        self.earlier: Path | None = None
        self.api_key = ""
        # A Sentinel group in place of one server.
        self.sentinel = False
        self.group: SentinelGroup | None = None

    @property
    def idle_start_s(self) -> float:
        """Not known: the limits are those of an idle box."""
        return inf

    def api_address_of(self, host: str = SERVER_HOST) -> str:
        """Address on which the API of a host listens."""
        return f"http://{self.network.address(host)}:{API_PORT}"

    @contextmanager
    def running(self) -> Iterator["Hosts"]:
        """Run everything until the block ends."""
        with open_network(HOSTS) as self.network:
            self._write_files()
            try:
                with super().running():
                    yield self
            finally:
                if self.group:
                    self.group.stop()

    def _make_group(self, signing: Authority) -> SentinelGroup:
        """Return a server and a sentinel on each host."""
        program = system_server()
        assert program
        nodes = [
            Node(
                folder=self.folder / f"{name}@{host}",
                port=port,
                host=(address := self.network.address(host)),
                sentinel=name == "sentinel",
                prefix=self.network.command(host, []),
                tls=NodeTls(*signing.sign(f"{name}-{host}", f"{host},IP:{address}"), signing.ca),
                user="admin",
                password=self.passwords["admin"],
                program=program,
            )
            for name, port in (("server", SERVER_PORT), ("sentinel", SENTINEL_PORT))
            for host in HOSTS
        ]
        more = [*SHIPPED_REPLICATION, f"aclfile {self.users}", "appendfsync everysec", *MEMORY]
        return SentinelGroup(nodes[:3], nodes[3:], more, passwords=self.passwords)

    @property
    def users(self) -> Path:
        """The file of the users of the servers."""
        return self.folder / "users.acl"

    def _write_files(self) -> None:
        """Write certificates, users of the server, and the file of URLs of each role."""
        signing = authority(self.folder / "ca")
        address = self.network.address(SERVER_HOST)
        self.ca = signing.ca
        self.certificate = signing.sign("server", f"{SERVER_HOST},IP:{address}")
        hashes = {name: sha256(password) for name, password in self.passwords.items()}
        self.users.write_text(acl_file(hashes))
        if self.sentinel:
            self.group = self._make_group(signing)
        for role in ROLES:
            urls = {"redis_url": self.trusting(self.role_url(role))}
            if role in ("bridge", "worker"):
                urls["broker_url"] = self.trusting(self.role_url("celery"))
            lines = [f'{name} = "{value}"\n' for name, value in urls.items()]
            (self.folder / f"{role}.toml").write_text("".join(lines))
        self.data.mkdir(exist_ok=True)
        # The shipped file without the lines that depend on the host.
        shipped = SERVER_CONFIG.read_text().splitlines()
        kept = [line for line in shipped if line.split(" ")[0] not in OF_A_PLACE]
        (self.folder / "valkey.conf").write_text("\n".join(kept) + "\n")

    def role_url(self, role: str) -> str:
        """Return the URL by which a role reaches the server."""
        if self.group:
            return self.group.url_of(role, self.passwords[role])
        where = f"{self.network.address(SERVER_HOST)}:{SERVER_PORT}"
        return f"rediss://{role}:{self.passwords[role]}@{where}/0"

    # -- starting

    def _start_all(self) -> None:
        if self.group:
            self.group.start()
        else:
            self._add_server()
        self._keeper.start()
        self.wait(self.server_responds, "the server")
        with self.client() as client:
            self.api_key, _ = apikeys.create(client, ["admin"], "vehicles")
        self.add_roles(SERVER_HOST, "bridge", "bridge")
        self.add_roles(SERVER_HOST, "api", "api")
        for host, settings in self.workers.items():
            if self.earlier and host == WORKER_HOSTS[0]:
                self.add_earlier_workers(host, self.earlier)
            else:
                self.add_workers(host, **settings)
        self.wait(self.ready, "bridge, workers and API", START_S)

    def _add_server(self) -> None:
        certificate, key = self.certificate
        options = {
            "port": "0",
            "tls-port": str(SERVER_PORT),
            "tls-cert-file": str(certificate),
            "tls-key-file": str(key),
            "tls-ca-cert-file": str(self.ca),
            "tls-auth-clients": "no",
            "aclfile": str(self.users),
            "dir": str(self.data),
        } | self.options.server_env
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        program = system_server()
        assert program
        self.add_on(SERVER_HOST, "server", [program, str(self.folder / "valkey.conf"), *words], {})

    def add_roles(self, host: str, name: str, role: str, *more: str, **settings: str) -> Part:
        """Run some roles of a host by `vtox up`, as one user of the server."""
        roles = more or (role,)
        return self.add_on(
            host, f"{name}@{host}", _python("vtox", "up", "--roles", ",".join(roles)),
            self.environment(host, role, name) | settings,
        )  # fmt: skip

    def add_workers(self, host: str, **settings: str) -> Part:
        """Run the workers of a host, with a light diagnosis that counts its executions."""
        given = {"VTOX_CLUSTER_WORKERS": str(WORKERS_A_HOST)} | self._light() | settings
        return self.add_roles(host, "workers", "worker", "workers", **given)

    def add_earlier_workers(self, host: str, tree: Path) -> list[Part]:
        """Run the workers of a host with the code of another version, by Celery's command."""
        parts = []
        for family in FAMILIES:
            env = self.environment(host, "worker", family) | self._light()
            env |= {"PYTHONPATH": str(tree)}
            command = _python("celery", "-A", "vtox", "worker", "-n", f"{family}@%h", "-Q", family)
            parts.append(self.add_on(host, f"{family}@{host}", command, env))
        return parts

    def _light(self) -> dict[str, str]:
        """Return the variables by which Celery loads the plug-ins into a worker."""
        return {
            "CELERY_WORKER_INCLUDE": "benchmarks.stub_diagnosis,faults.counted",
            "FAULTS_EXECUTIONS": str(self.executions),
            "FAULTS_WORK_MS": str(self.options.work_ms),
        }

    def environment(self, host: str, role: str, name: str) -> dict[str, str]:
        """Return the environment of a role on a host."""
        address = self.network.address(host)
        return self._base_environment() | {
            "VTOX_CONFIG": str(self.folder / f"{role}.toml"),
            "VTOX_DATA_DIR": str(self.folder / f"{name}@{host}"),
            "VTOX_API_HOST": address,
            "VTOX_API_ALLOWED_HOSTS": address,
            "VTOX_API_PORT": str(API_PORT),
        }

    def add_on(
        self,
        host: str,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str],
        *,
        one_shot: bool = False,
    ) -> Part:
        """Start a process on a host, and keep it running."""
        self.host_of[name] = host
        line = self.network.command(host, command)
        return self.start_part(name, line, os.environ | dict(env), one_shot=one_shot)

    def add_sender(self, arguments: list[str], *, http: bool = False, http_to: str = "") -> Part:
        """Start vehicles, which end when all their windows are acknowledged."""
        where = ["--http", http_to or self.api_address_of(), "--key", self.api_key]
        if not (http or http_to):
            mark = "&" if self.group else "?"
            where = ["--url", f"{self.role_url('ingest')}{mark}ssl_ca_certs={self.ca}"]
        command = _python("faults.sender", str(self.history.path), *where, *arguments)
        name = f"vehicles-{sum(n.startswith('vehicles') for n in self.parts) + 1}"
        env = self._base_environment()
        return self.add_on(VEHICLES_HOST, name, command, env, one_shot=True)

    def terminate(self, name: str) -> None:
        """End a part by SIGTERM, and start it no more."""
        part = self.parts[name]
        part.wanted = False
        assert part.process
        part.process.terminate()
        part.process.wait(60)

    def restart(self, name: str) -> None:
        """End a part by SIGTERM and start it again, as an administrator does."""
        self.terminate(name)
        self.begin(name)

    def begin(self, name: str) -> None:
        """Start a part that has ended, and wait until all is ready."""
        part = self.parts[name]
        with self._lock:
            part.wanted = True
            self._start(part)
        self.wait(self.ready, f"readiness after the start of {name}", START_S)

    def drain(self, host: str) -> None:
        """Empty a host of workers by `vtox drain`."""
        part = self.parts[f"workers@{host}"]
        part.wanted = False
        command = self.network.command(host, _python("vtox", "drain"))
        done = subprocess.run(
            command, env=part.env, capture_output=True, text=True, timeout=120, check=False
        )
        (self.folder / "drain.log").write_text(done.stdout + done.stderr)
        done.check_returncode()

    @property
    def workers_wanted(self) -> int:
        """Number of workers of the whole system."""
        counts = (s.get("VTOX_CLUSTER_WORKERS", WORKERS_A_HOST) for s in self.workers.values())
        return sum(map(int, counts))

    def counter(self, name: str) -> int:
        """Return a counter of the scripts."""
        with self.client() as client:
            return int(client.hget(keys.COUNTERS, name) or 0)

    # -- disturbing

    def processes(self, host: str) -> list[psutil.Process]:
        """Return all processes of a host, supervisors first."""
        found = []
        for name, part in self.parts.items():
            if self.host_of[name] == host and part.running and part.process:
                with suppress(psutil.Error):
                    found.append(psutil.Process(part.process.pid))
                    found += children(part.process.pid, recursive=True)
        return found

    def signal_host(self, host: str, number: signal.Signals) -> None:
        """Send a signal to every process of a host."""
        for process in self.processes(host):
            with suppress(psutil.Error):
                process.send_signal(number)

    # -- the server

    def trusting(self, url: str) -> str:
        """Return a URL with our own authority."""
        return f"{url}{'&' if '?' in url else '?'}ssl_ca_certs={self.ca}"

    def client(self) -> Client:
        """Return a client of the server, as its administrator."""
        settings = load(redis_url=self.trusting(self.role_url("admin")))
        return connect(settings.working_url(), "hosts", retries=0, report_loss=True)

    def vehicles_send(self) -> bool:
        """Whether windows arrive."""
        with self.client() as client:
            return bool(client.hget(keys.COUNTERS, "windows_done"))

    def until_at_work(self, host: str, timeout_s: float) -> float:
        """Return after how long a worker of a host takes a task, s, at most `timeout_s`."""
        began = time.monotonic()
        with self.client() as client:
            since = server_time(client)
            while (waited_s := time.monotonic() - began) < timeout_s:
                workers = heartbeats.live_workers(client)
                if any(w.host == host and (w.last_task_t or 0.0) > since for w in workers):
                    break
                time.sleep(0.1)
        return round(waited_s, 1)

    def live_workers(self) -> int:
        """Return how many workers live."""
        with self.client() as client:
            names = [n.decode() for n in client.smembers(keys.WORKERS)]
            pipe = client.pipeline(transaction=False)
            for name in names:
                pipe.hexists(keys.worker(name), "last_seen_t")
            return sum(pipe.execute()) if names else 0

    def ready(self) -> bool:
        """Whether a bridge owns the stream, all workers report, and the API is ready."""
        try:
            with self.client() as client:
                owned = client.exists(keys.LEASE)
            enough = self.live_workers() >= self.workers_wanted
        except (redis.RedisError, OSError):
            return False
        return bool(owned and enough) and self.api_ready(self.api_address_of())

    def api_ready(self, address: str) -> bool:
        """Whether an API says that it is ready."""
        try:
            answer = httpx.get(f"{address}/health/ready", timeout=5.0, trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    def get(self, address: str, path: str) -> Any:
        """Return the answer of an API."""
        key = {"X-API-Key": self.api_key}
        answer = httpx.get(f"{address}{path}", headers=key, timeout=30.0, trust_env=False)
        return answer.raise_for_status().json()

    def bridges(self) -> int:
        """Return the number of bridges, active and standby."""
        with self.client() as client:
            return int(client.zcard(keys.BRIDGES))

    def owns(self, name: str) -> bool:
        """Whether the bridge of a part owns the stream."""
        part = self.parts[name]
        assert part.process
        pids = {p.pid for p in children(part.process.pid, recursive=True)}
        with suppress(redis.RedisError), self.client() as client:
            return bool(client.exists(keys.LEASE)) and int(client.hget(keys.BRIDGE, "pid")) in pids
        return False

    def _end_all(self) -> None:
        for host in HOSTS:
            self.signal_host(host, signal.SIGCONT)
        end_parts((p for p in self.parts.values() if p.name != "server"), 2 * STOP_S)
        end_parts(p for p in self.parts.values() if p.name == "server")


def _python(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", *words]
