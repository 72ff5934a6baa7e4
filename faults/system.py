"""A real VTOX as separate processes, which the harness starts, finds and starts again.

Every process but the server reaches the server over a separate link. With `supervised` all run
under `vtox up`, which starts them again; only the sender then has a link.
"""

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import redis

from faults.history import History
from faults.parts import STOP_S, Part, Parts, children, end_parts
from faults.proxy import Links
from faults.sentinel_group import DOWN_AFTER_MS, SentinelGroup, local_group
from tests.cluster import free_ports
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.server_urls import server_url
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.ledger.heartbeats import live_workers
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.server.partition_table import served

ROOT = Path(__file__).parents[1]
BRIDGES = ("bridge-1", "bridge-2")
# Start on two idle cores, by whether `vtox up` starts them, one after another.
IDLE_START_S = {False: 8.0, True: 12.0}
# A primary that was cut off takes no windows.
GROUP_LINES = ("min-replicas-to-write 1", "min-replicas-max-lag 2")


@dataclass(slots=True, kw_only=True)
class Options:
    """Options of the system under test."""

    standby: bool = True
    api: bool = True
    light: bool = True
    # Plug-ins of the workers, each followed by a comma: between the light load and the counting.
    plug_ins: str = ""
    # Time of each record at work, in addition to its diagnosis.
    work_ms: float = 20.0
    supervised: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    # Environment of the server's process alone: libraries to load, the time to show.
    server_env: dict[str, str] = field(default_factory=dict)
    data: Path | None = None
    broker_url: str = ""
    partitions: int = 1
    # A Sentinel group in place of the embedded server; no process then has a link.
    sentinel: bool = False
    # How the sender makes sure of its windows: `Publisher`.
    keep_s: float = 0.0
    replicas: int = 0


class System(Parts):
    """The processes; `running` starts and stops them."""

    def __init__(self, folder: Path, history: History, options: Options) -> None:
        super().__init__(folder, history)
        self.options = options
        self.data = options.data or folder / "data"
        self.executions = None if options.supervised else folder / "executions.txt"
        self.api_port, self.coordinator_port, self.second_port, self.worker_port = free_ports(4)
        self.links = Links(lambda: self._address()[0])
        self._owner = 0
        self.group: SentinelGroup | None = None

    @property
    def idle_start_s(self) -> float:
        """How long all processes take to start on two idle cores."""
        return IDLE_START_S[self.options.supervised]

    # -- starting and stopping

    @contextmanager
    def running(self) -> Iterator["System"]:
        """Run everything until the block ends."""
        (self.folder / "run").mkdir(exist_ok=True)
        try:
            self._start_all()
            yield self
        finally:
            self.end_keeper()
            self._end_all()
            self.links.close()

    def _start_all(self) -> None:
        ports = {
            "VTOX_API_PORT": str(self.api_port),
            "VTOX_COORDINATOR_PORT": str(self.coordinator_port),
            "VTOX_WORKER_PORT": str(self.worker_port),
        }
        if self.options.sentinel:
            self.group = local_group(
                self.folder / "group",
                free_ports(6),
                more=GROUP_LINES,
                down_after_ms=round(DOWN_AFTER_MS * self.slowness),
            )
            self.group.start()
        base = self._base_environment() | ports
        if self.group:
            pass
        elif self.options.supervised:
            up = ["vtox", "up", "--without", "flower"]
            self.add("up", up, base | self.options.server_env)
        else:
            self.add("server", ["vtox", "server"], base | self.options.server_env)
        self._keeper.start()
        self.wait(self.server_responds, "the server")
        if not self.options.supervised:
            self._add_processes(base)
        self.wait(self.ready, "bridge, workers and API")

    def _add_processes(self, base: dict[str, str]) -> None:
        bridges = BRIDGES if self.options.standby else BRIDGES[:1]
        for name, port in zip(bridges, (self.coordinator_port, self.second_port), strict=False):
            self.add(
                name, ["vtox", "bridge"], base | {"VTOX_COORDINATOR_PORT": str(port)}, link=name
            )
        light = "benchmarks.stub_diagnosis,"
        plug_ins = f"{light if self.options.light else ''}{self.options.plug_ins}faults.counted"
        for family in FAMILIES:
            options = ["-I", plug_ins, "-n", f"{family}@%h", "-Q", family]
            counted = {
                "FAULTS_EXECUTIONS": str(self.executions),
                "FAULTS_WORK_MS": str(self.options.work_ms),
            }
            command = ["celery", "-q", "-A", "vtox", "worker", *options]
            self.add(family, command, base | counted, link=family)
        if self.options.api:
            address = ["--host", "127.0.0.1", "--port", str(self.api_port)]
            self.add("api", ["uvicorn", "api.main:app", *address], base, link="api")

    def add(
        self,
        name: str,
        command: list[str],
        env: dict[str, str],
        *,
        link: str = "",
        one_shot: bool = False,
    ) -> Part:
        """Start a process, and keep it running."""
        if link and not self.group:
            env = env | {"VTOX_REDIS_URL": self.url(self.links.add(link).port)}
        line = [sys.executable, "-P", "-m", *command]
        return self.start_part(name, line, env, one_shot=one_shot)

    def add_sender(self, arguments: list[str], *, http: bool = False) -> Part:
        """Start a sender, which ends when all its windows are acknowledged."""
        if http:
            where = ["--http", f"http://127.0.0.1:{self.api_port}"]
        elif self.group:
            sure = ["--keep", str(self.options.keep_s), "--replicas", str(self.options.replicas)]
            where = ["--url", self.url(), *sure]
        else:
            where = ["--url", self.url(self.links.add("sender").port)]
        command = ["faults.sender", str(self.history.path), *where, *arguments]
        name = "http-sender" if http else "sender"
        return self.add(name, command, self._base_environment(), one_shot=True)

    def _base_environment(self) -> dict[str, str]:
        own = {k: v for k, v in os.environ.items() if not k.startswith("VTOX_")}
        fixed = {
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "VTOX_DATA_DIR": str(self.data),
            "VTOX_BASELINE_AUTO": "false",
            # Windows that a sender repeats after an outage are late.
            "VTOX_CLOCK_TOLERANCE_S": "1e12",
            # As with the embedded server: the links hide that all runs on one host.
            "VTOX_SHARED_WINDOWS_MB": "64",
        }
        broker = {"VTOX_BROKER_URL": self.options.broker_url} if self.options.broker_url else {}
        partitions = {"VTOX_STREAM_PARTITIONS": str(self.options.partitions)}
        group = {"VTOX_REDIS_URL": self.url()} if self.options.sentinel else {}
        return own | fixed | broker | group | partitions | self.options.settings

    def _end_all(self) -> None:
        last = [p for p in self.parts.values() if p.name in ("server", "up")]
        patience_s = STOP_S * self.slowness
        end_parts((p for p in self.parts.values() if p not in last), patience_s)
        end_parts(last, patience_s)
        if self.group:
            self.group.stop()

    # -- the server

    def _address(self) -> tuple[int, str, int]:
        stored = json.loads((self.data / "server.json").read_text())
        return stored["port"], stored["password"], stored.get("pid", 0)

    def url(self, port: int = 0) -> str:
        """Return the URL of the server, at a link's `port` or at its own."""
        if self.group:
            return self.group.url
        own, password, _ = self._address()
        return server_url(port or own, password)

    def client(self) -> Client:
        """Return a client of the server itself."""
        return connect(self.url(), "faults", retries=0, report_loss=True)

    def server_responds(self) -> bool:
        """Whether the server takes commands."""
        try:
            with self.client() as client:
                client.ping()
        except (redis.RedisError, OSError, ValueError, KeyError):
            return False
        return True

    @property
    def settings(self) -> Settings:
        """The settings of the processes that use the embedded server directly."""
        return load(data_dir=self.data, api_port=self.api_port)

    # -- finding processes

    def pid_of(self, target: str) -> int | None:
        """Return the process that a target of the schedule names; None while there is none."""
        if target == "server":
            with suppress(OSError, ValueError):
                pid = self._address()[2]
                return pid if pid and psutil.pid_exists(pid) else None
            return None
        if target.startswith("pool:"):
            main = self.pid_of(target.removeprefix("pool:"))
            pool = children(main) if main else []
            return pool[0].pid if pool else None
        if self.options.supervised and target != "sender":
            return self._supervised_pid(target)
        part = self.part_of(target)
        return part.process.pid if part and part.running and part.process else None

    def part_of(self, target: str) -> Part | None:
        """Return the part of a target; `owner` is the bridge that owns the first partition now."""
        if target in ("owner", "standby"):
            pids = {p.process.pid: p for n in BRIDGES if (p := self.parts.get(n)) and p.process}
            with suppress(redis.RedisError), self.client() as client:
                self._owner = int(client.hget(keys.BRIDGE, "pid") or 0)
            if not pids:  # under `vtox up` they are not ours
                return None
            owner = pids.get(self._owner) or next(iter(pids.values()))
            others = [p for p in pids.values() if p is not owner]
            return owner if target == "owner" or not others else others[0]
        return self.parts.get(target)

    def link_of(self, target: str) -> str:
        """Return the name of the link of a target."""
        part = self.part_of(target)
        return part.name if part else target

    def _supervised_pid(self, target: str) -> int | None:
        words = {
            "owner": ("vtox", "bridge"),
            "standby": ("vtox", "bridge"),
            "api": ("uvicorn",),
            "up": ("vtox", "up"),
        }.get(target, ("celery", f"{target}@%h"))
        up = self.parts["up"].process
        for p in children(up.pid, recursive=True) if up else []:
            with suppress(psutil.Error):
                line = p.cmdline()
                if all(w in line for w in words):
                    return p.pid
        return None

    # -- waiting

    def ready(self) -> bool:
        """Whether bridges own the stream, every family has a worker, and the API answers."""
        try:
            if not self._served():
                return False
        except redis.RedisError:
            return False
        return not self.options.api or listens(self.api_port)

    def _served(self) -> bool:
        """Whether bridges own all partitions, and workers can take tasks of every family."""
        with self.client() as client:
            some = served(client)
            owned = client.exists(*(p.lease for p in some)) == len(some)
            able = [w for w in live_workers(client) if w.pool_processes != 0]
        whole = len(some) >= self.options.partitions
        return bool(owned and whole and set(FAMILIES) <= {q for w in able for q in w.queues})


def listens(port: int) -> bool:
    """Whether a process accepts connections."""
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0
