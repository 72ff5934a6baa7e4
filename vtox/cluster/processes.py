"""The processes of a VTOX cluster: command, readiness and order of each. The supervisor runs them.

Children run in an empty folder of their own with every setting in the environment, so that nothing
that lies in the user's working folder (an `api` package, a `celeryconfig.py`) gets in their way.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import redis

import vtox
from vtox.cluster import parent_watch
from vtox.cluster.ports import LOOPBACK, answers, listens, pulse, url
from vtox.errors import ServerUnavailable
from vtox.faults import FAMILIES
from vtox.settings import Settings
from vtox.store.client import check, connect
from vtox.store.heartbeats import port_of

# Busy seconds of one worker each over 3,400 windows of the demo's fleet (fetch, diagnose, commit);
# their ratios place further workers, and share out the queues among fewer.
LOAD = {"turn_short": 25, "bearing": 28, "broken_bar": 20}
WITHOUT = ("server", "bridge", "workers", "api", "flower")
FLOWER_MAX_TASKS = 10_000
LIVE = "/health/live"
# Celery says so because of pickle, which we refuse; in a container root is the usual user.
ROOT_IS_FINE = "ignore:You're running the worker with superuser privileges"


@dataclass(frozen=True, slots=True)
class Role:
    """One process: a Python module with its arguments; `ready(pid)` tells when it serves.

    `live(pid)`, asked from then on, is False where the process hangs or was stopped; it must not
    depend on the server, whose outage no restart of another process would mend.

    Roles start in the order of `rank`, equal ranks together, and stop in the order of `leave`.
    """

    name: str
    command: tuple[str, ...]
    rank: int
    leave: int
    ready: Callable[[int], bool]
    live: Callable[[int], bool] = lambda _: True
    # It has an end: exit status 0 is not a reason to start it again.
    once: bool = False


def cluster(settings: Settings, without: Collection[str] = ()) -> list[Role]:
    """Return the roles of a whole cluster, but those of `without`."""
    api = url(settings.api_host, settings.api_port) + LIVE
    bridge = url(settings.probe_host, settings.coordinator_port) + LIVE
    fixed = [
        Role("server", ("vtox", "server"), 0, 2, lambda _: server_answers(settings)),
        Role(
            "bridge", ("vtox", "bridge"), 1, 0, lambda _: answers(bridge), lambda _: pulse(bridge)
        ),
        Role("api", _api(settings), 3, 0, lambda _: answers(api), lambda _: pulse(api)),
        Role("flower", _flower(settings), 4, 0, lambda _: listens("", settings.flower_port)),
    ]
    left_out = {*without, "server"} if settings.redis_url else set(without)
    roles = [r for r in fixed if r.name not in left_out]
    if "workers" not in left_out:
        roles += workers(settings)
    return sorted(roles, key=lambda r: r.rank)


def workers(settings: Settings) -> list[Role]:
    """Return one role for each worker, named after its queues."""
    roles: list[Role] = []
    for queues in assign(settings.cluster_workers):
        base = "+".join(queues)
        twins = sum(r.command[-1] == ",".join(queues) for r in roles)
        name = f"{base}-{twins + 1}" if twins else base
        lean = ("--without-gossip", "--without-mingle", "--loglevel=INFO")
        which = ("-n", f"{name}@%h", "-Q", ",".join(queues))
        command = ("celery", "-q", "-A", "vtox", "worker", *lean, *which)
        beats = _Beats(settings, name)
        roles.append(Role(name, command, 2, 1, beats.ready, beats.live))
    return roles


def assign(workers: int) -> list[tuple[str, ...]]:
    """Return the queues of each worker: spread by load, none without a worker."""
    if workers >= len(FAMILIES):
        names = list(FAMILIES)
        while len(names) < workers:
            names.append(max(FAMILIES, key=lambda f: LOAD[f] / names.count(f)))
        return [(f,) for f in names]
    shared: list[list[str]] = [[] for _ in range(workers)]
    for family in sorted(FAMILIES, key=lambda f: -LOAD[f]):
        min(shared, key=lambda queues: sum(LOAD[f] for f in queues)).append(family)
    return [tuple(f for f in FAMILIES if f in queues) for queues in shared]


def cluster_command(settings: Settings) -> list[str]:
    """Return the command line of the API's own cluster: everything but the API."""
    return parent_watch.wrapped("vtox", "up", "--without", "api")


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a child: the very settings of this process, and whom to watch."""
    values = {k: v for k, v in settings.model_dump().items() if v is not None}
    given = {f"VTOX_{k.upper()}": str(v) for k, v in values.items()}
    given["VTOX_DATA_DIR"] = str(settings.data_dir.resolve())
    # Only the process that a person started brings up a cluster.
    given["VTOX_CLUSTER_ENABLED"] = "false"
    given["PYTHONWARNINGS"] = ROOT_IS_FINE
    root = Path(vtox.__file__).parent.parent
    if root.name not in ("site-packages", "dist-packages"):
        given["PYTHONPATH"] = str(root)
    return parent_watch.child_environment(given)


def ports(settings: Settings, roles: Iterable[Role]) -> dict[str, tuple[str, int]]:
    """Return setting -> address and port of those roles whose port is fixed."""
    of = {
        "bridge": ("VTOX_COORDINATOR_PORT", (settings.probe_host, settings.coordinator_port)),
        "api": ("VTOX_API_PORT", (settings.api_host, settings.api_port)),
        "flower": ("VTOX_FLOWER_PORT", (LOOPBACK, settings.flower_port)),
    }
    return dict(of[r.name] for r in roles if r.name in of)


def claims(settings: Settings, roles: Sequence[Role]) -> dict[str, int]:
    """Return setting -> port of every port that these roles are told, the first worker's too."""
    found = {setting: port for setting, (_, port) in ports(settings, roles).items()}
    if settings.redis_port and any(r.name == "server" for r in roles):
        found["VTOX_REDIS_PORT"] = settings.redis_port
    if any("worker" in r.command for r in roles):
        found["VTOX_WORKER_PORT"] = settings.worker_port
    return found


def server_answers(settings: Settings) -> bool:
    """Whether the server takes commands."""
    try:
        with connect(settings.working_url(), "probe") as client:
            check(client)
            return True
    except (redis.RedisError, ServerUnavailable):
        return False


class _Beats:
    """A worker's heartbeat tells that it is ready, and at which port it answers from then on."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.settings = settings
        self.name = name
        self._address = ""

    def ready(self, pid: int) -> bool:
        """Whether the worker of that process has sent a heartbeat."""
        try:
            with connect(self.settings.working_url(), "probe") as client:
                if (port := port_of(client, self.name, pid)) is not None:
                    self._address = url(self.settings.probe_host, port) + LIVE
                    return True
        except (redis.RedisError, ServerUnavailable):
            pass
        return False

    def live(self, _: int) -> bool:
        """Whether it answers at the port of its heartbeat."""
        return pulse(self._address)


def _api(settings: Settings) -> tuple[str, ...]:
    where = ("--host", settings.api_host, "--port", str(settings.api_port))
    calm = ("--no-access-log", "--log-level=warning", "--timeout-graceful-shutdown=2")
    return ("uvicorn", "api.main:app", *where, *calm)


def _flower(settings: Settings) -> tuple[str, ...]:
    # Loopback and read-only: its pages show what tasks carry, and its buttons stop workers.
    where = (f"--address={LOOPBACK}", f"--port={settings.flower_port}")
    few = f"--max-tasks={FLOWER_MAX_TASKS}"
    return ("celery", "-q", "-A", "vtox", "flower", *where, "--read-only", few, "--logging=none")
