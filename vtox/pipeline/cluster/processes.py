"""The processes of a cluster: command, readiness, liveness and order of each.

Children run in their own empty folder with every setting in the environment. So nothing in the
user's working folder (an `api` package, a `celeryconfig.py`) gets in their way.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import redis

from vtox.pipeline.cluster import parent_watch
from vtox.pipeline.cluster.child_process import is_stopped
from vtox.pipeline.cluster.file_lock import holder_pid
from vtox.pipeline.cluster.ports import (
    LOOPBACK,
    Listener,
    base_url,
    is_live,
    listens,
    responds,
)
from vtox.pipeline.cluster.roles import WORKERS, HostRoles, host_roles
from vtox.pipeline.cluster.worker_allocation import ALL_QUEUES, allocate_queues, worker_ports
from vtox.pipeline.configuration.settings import SUPERVISED, Settings, each, variable
from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.heartbeats import Heartbeat, port_of
from vtox.pipeline.store.server.client import Client, check, connect

LIVENESS_PATH = "/health/live"
# Celery warns because of pickle, which we refuse; in a container root is the usual user.
ALLOW_ROOT = "ignore:You're running the worker with superuser privileges"


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process: a Python module with its arguments, and how to probe it by its pid.

    Processes start in ascending `start_order`, equal ones together, and stop in `stop_order`. The
    next order waits until they are ready; with `needed_by` only that order and later ones wait.
    `is_live` is called once the process has been ready; it is False if the process hangs or was
    stopped. It must not depend on the server: no restart of another process ends its outage.
    """

    name: str
    command: tuple[str, ...]
    start_order: int
    stop_order: int
    is_ready: Callable[[int], bool]
    is_live: Callable[[int], bool] = lambda _: True
    needed_by: int | None = None
    # It ends by itself: after exit status 0 it is not started again.
    one_shot: bool = False
    # The others go on without it if it does not start.
    optional: bool = False
    listener: Listener | None = None
    # Its environment in addition to the settings.
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_first(self) -> bool:
        """Whether all others need it: the server."""
        return self.start_order == 0 and self.needed_by is None

    def must_be_ready(self, order: float) -> bool:
        """Whether processes that start in that order wait for it."""
        return order >= (self.start_order + 1 if self.needed_by is None else self.needed_by)


def cluster(settings: Settings, roles: HostRoles | None = None) -> list[ProcessSpec]:
    """Return the processes of a host with these roles, by default of a whole cluster."""
    roles = roles or host_roles(settings)
    api = base_url(settings.api_host, settings.api_port) + LIVENESS_PATH
    bridge = base_url(settings.probe_host, settings.coordinator_port) + LIVENESS_PATH
    flower_port = settings.flower_port
    specs = [
        ProcessSpec("server", ("vtox", "server"), 0, 2, lambda _: server_responds(settings)),
        ProcessSpec(
            "bridge",
            ("vtox", "bridge"),
            1,
            0,
            lambda _: responds(bridge),
            lambda _: is_live(bridge),
            listener=Listener(
                "VTOX_COORDINATOR_PORT", settings.probe_host, settings.coordinator_port
            ),
        ),
        # At once, so that the pages say how far the others are.
        ProcessSpec(
            "api",
            _api(settings),
            0,
            0,
            lambda _: responds(api),
            lambda _: is_live(api),
            needed_by=4,
            listener=Listener("VTOX_API_PORT", settings.api_host, settings.api_port),
        ),
        # Except Flower, for which nothing waits; it loads as long. Its work is read from streams
        # that outlive it: the last results are recorded at the next start.
        ProcessSpec(
            "recorder",
            ("vtox", "recorder"),
            4,
            0,
            lambda pid: _recorder_reports(settings, pid),
            lambda pid: not is_stopped(pid),
            optional=True,
        ),
        ProcessSpec(
            "flower",
            ("vtox", "flower"),
            4,
            0,
            lambda pid: listens(pid, flower_port),
            optional=True,
            listener=Listener("VTOX_FLOWER_PORT", LOOPBACK, flower_port),
        ),
        _notifier(settings),
        _gateway(settings),
        *_interface_processes(settings),
    ]
    specs = [s for s in specs if s.name in roles.names]
    if WORKERS in roles.names:
        specs += workers(settings, roles.queues)
    return sorted(specs, key=lambda s: s.start_order)


def workers(settings: Settings, queues: Sequence[str] = ALL_QUEUES) -> list[ProcessSpec]:
    """Return the workers of a host with these queues, named after their own or `shared`."""
    specs: list[ProcessSpec] = []
    for own in allocate_queues(settings.cluster_workers.least, queues):
        base = own[0] if len(own) == 1 else "shared"
        same = sum(s.command[-1] == ",".join(own) for s in specs)
        taken = {s.listener.port for s in specs if s.listener}
        specs.append(worker(settings, f"{base}-{same + 1}" if same else base, own, taken))
    return specs


def worker(
    settings: Settings, name: str, queues: Sequence[str], taken: Collection[int] = ()
) -> ProcessSpec:
    """Return a worker process of these queues; its port is none of those `taken`."""
    port = next(p for p in worker_ports(settings, queues) if p not in taken)
    identity = ("-n", f"{name}@%h", "-Q", ",".join(queues))
    command = ("celery", "-q", "-A", "vtox", "worker", *identity)
    probe = _WorkerProbe(settings, name)
    return ProcessSpec(
        name,
        command,
        2,
        1,
        probe.is_ready,
        probe.is_live,
        listener=Listener("VTOX_WORKER_PORT", settings.probe_host, port),
        variables={"VTOX_WORKER_PORT": str(port), SUPERVISED: "1"},
    )


def cluster_command(settings: Settings) -> list[str]:
    """Return the command line of the cluster that an API process owns: everything but the API."""
    return parent_watch.command_watching_parent("vtox", "up", "--without", "api")


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a child: the settings of this process, and its pid to watch."""
    variables = {
        variable(*name): str(value.resolve() if isinstance(value, Path) else value)
        for name, value in each(settings)
        if value is not None
    }
    # Only the process that a person started brings up a cluster.
    variables["VTOX_CLUSTER_ENABLED"] = "false"
    variables["PYTHONWARNINGS"] = ALLOW_ROOT
    root = Path(__file__).parents[3]
    if root.name not in ("site-packages", "dist-packages"):
        variables["PYTHONPATH"] = str(root)
    return parent_watch.child_environment(variables)


def configured_ports(settings: Settings, specs: Sequence[ProcessSpec]) -> dict[str, int]:
    """Return setting -> port of every port that is set for these processes."""
    ports = {s.listener.setting: s.listener.port for s in specs if s.listener}
    if "VTOX_WORKER_PORT" in ports:  # workers skip the ports of others
        ports["VTOX_WORKER_PORT"] = settings.worker_port
    if settings.redis_port and any(s.name == "server" for s in specs):
        ports["VTOX_REDIS_PORT"] = settings.redis_port
    return ports


def server_responds(settings: Settings) -> bool:
    """Whether the server takes commands."""
    with suppress(ServerUnavailable), connect(settings.working_url(), "probe") as client:
        check(client)
        return True
    return False


def _recorder_reports(settings: Settings, pid: int) -> bool:
    """Whether the recorder with that pid has sent a heartbeat."""
    return _reports(settings, heartbeats.recorder, pid)


def _notifier_reports(settings: Settings, pid: int) -> bool:
    """Whether the notifier with that pid has sent a heartbeat."""
    return _reports(settings, heartbeats.notifier, pid)


def _reports(
    settings: Settings,
    heartbeat: Callable[[Client], Heartbeat | None],
    pid: int,
) -> bool:
    """Whether a process has sent a heartbeat."""
    with (
        suppress(redis.RedisError, ServerUnavailable),
        connect(settings.working_url(), "probe") as client,
    ):
        beat = heartbeat(client)
        return beat is not None and beat.pid == pid
    return False


class _WorkerProbe:
    """A worker is ready once its pool is; its heartbeat carries the port of its liveness probe."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.settings = settings
        self.name = name
        self._url = ""

    def is_ready(self, pid: int) -> bool:
        """Whether the worker with that pid can take a task, by its heartbeat."""
        with (
            suppress(redis.RedisError, ServerUnavailable),
            connect(self.settings.working_url(), "probe") as client,
        ):
            if (port := port_of(client, self.name, pid)) is not None:
                self._url = base_url(self.settings.probe_host, port) + LIVENESS_PATH
                return True
        return False

    def is_live(self, _: int) -> bool:
        """Whether it responds at the port of its heartbeat."""
        return is_live(self._url)


def _notifier(settings: Settings) -> ProcessSpec:
    """Return the notifier: next to the recorder, as unsent messages are in the outbox."""
    return ProcessSpec(
        "notifier",
        ("vtox", "notify", "run"),
        4,
        0,
        lambda pid: _notifier_reports(settings, pid),
        lambda pid: not is_stopped(pid),
        optional=True,
    )


def _gateway(settings: Settings) -> ProcessSpec:
    """Return the gateway from MQTT: its session is kept by the broker while it is away."""
    held = settings.data_dir / "mqtt-vtox.lock"
    return ProcessSpec(
        "mqtt",
        ("vtox", "mqtt"),
        4,
        0,
        lambda pid: holder_pid(held) == pid,
        lambda pid: not is_stopped(pid),
        optional=True,
    )


def _interface_processes(settings: Settings) -> list[ProcessSpec]:
    """Return the processes that pass health on, after the API; nothing waits for them."""
    commands = {
        "mcp": (("vtox", "mcp", "--http"), settings.mcp_port),
        "opcua": (("vtox", "opcua"), settings.opcua_port),
    }
    return [
        ProcessSpec(
            name,
            command,
            5,
            0,
            partial(listens, port=port),
            lambda pid: not is_stopped(pid),
            optional=True,
            listener=Listener(f"VTOX_{name.upper()}_PORT", settings.api_host, port),
        )
        for name, (command, port) in commands.items()
        if port is not None
    ]


def _api(settings: Settings) -> tuple[str, ...]:
    address = ("--host", settings.api_host, "--port", str(settings.api_port))
    options = ("--no-access-log", "--log-level=warning", "--timeout-graceful-shutdown=2")
    # Each turn of uvicorn accepts as many connections as may queue. Beyond them the kernel makes
    # clients wait, and of thousands that connect again and again the others are still served.
    limits = ("--http", "api.http_protocol:BoundedHttp", "--backlog", "128")
    return ("uvicorn", "api.main:app", *address, *options, *limits)
