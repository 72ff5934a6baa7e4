"""The coordinator process, `vtox bridge`: the stream bridge, the monitor and their port."""

import threading

import structlog

from vtox.bridge.dispatcher import WaitingTasks
from vtox.bridge.loop import Bridge
from vtox.bridge.partition_keeper import PartitionKeeper
from vtox.cluster.probe_server import serve
from vtox.cluster.signal_handlers import stop_event
from vtox.faults import FAMILIES
from vtox.monitoring import monitor
from vtox.partitions import Partition, Place
from vtox.queues.task_queues import TaskQueues
from vtox.settings import Settings
from vtox.store.agreement import require_agreement
from vtox.store.client import Client, connect
from vtox.store.servers import connect_servers, responding
from vtox.store.task_queues import TaskNumbers, forget_broker, write_broker
from vtox.tracing import Tracing, start_tracing

log = structlog.get_logger()

_OWNS_NOTHING = "does not own the stream"
FAILED_EVERY_S = 0.5


def run(settings: Settings) -> None:
    """Bridge and measure until SIGTERM or SIGINT.

    Raises
    ------
    ServerUnavailable
        The server does not answer at the start; one that is loading its log is waited for.
    SystemStateError
        Other processes work on other terms.
    PortTaken
        `VTOX_COORDINATOR_PORT` is in use.
    """
    stop = stop_event()
    urls = settings.server_urls()
    servers = connect_servers(urls, "bridge")
    for client in responding(servers):
        require_agreement(client, settings)
    clients = list(servers)
    tracing = start_tracing(settings, "bridge")
    places = [Place(i, len(urls)) for i in range(len(urls))]
    served = [_Server(urls[p.server], clients, p, settings, tracing) for p in places]
    serve(
        settings.probe_host,
        settings.coordinator_port,
        setting="VTOX_COORDINATOR_PORT",
        names=settings.allowed_hosts,
        live=lambda: next((x for s in served if not (x := s.keeper.live())[0]), (True, "")),
        ready=lambda: (True, "") if any(s.keeper.owner for s in served) else (False, _OWNS_NOTHING),
    )
    for s, url in zip(served, urls, strict=True):
        s.start(connect(url, "monitor"), stop)
    while not stop.wait(FAILED_EVERY_S):
        if failed := [s.error for s in served if s.error]:
            stop.set()
            raise failed[0]
    for s in served:
        s.end()
    if tracing:
        tracing.flush()
    log.info("coordinator stopped")


class _Server:
    """One of the servers: who keeps its partitions, and the monitor."""

    def __init__(
        self,
        url: str,
        clients: list[Client],
        place: Place,
        settings: Settings,
        tracing: Tracing | None,
    ) -> None:
        self.url = url
        self.client = clients[place.server]
        self.clients = clients
        self.place = place
        self.settings = settings
        self.tracing = tracing
        # Each bridge has its own: one that waits for the broker, or has lost a connection, holds no
        # other. What it remembers may be unknown to the server behind another connection.
        self.opened: dict[int, tuple[TaskQueues, Client]] = {}
        n = settings.stream_partitions
        self.keeper = PartitionKeeper(self.client, n and n // place.servers, self._bridge, place)
        self.threads: list[threading.Thread] = []
        self.error: BaseException | None = None

    def start(self, monitor_client: Client, stop: threading.Event) -> None:
        """Serve, and measure, until `stop`."""
        watch = (monitor_client, self.settings, stop, lambda: self.keeper.owns(0))
        self.threads = [
            threading.Thread(target=self._keep, args=(stop,), name="keeper", daemon=True),
            threading.Thread(target=monitor.run, args=watch, name="monitor", daemon=True),
        ]
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        """Wait for what `stop` has ended."""
        keeper, watcher = self.threads
        keeper.join()
        for number in list(self.opened):
            self._close(number)
        watcher.join(timeout=2)

    def _keep(self, stop: threading.Event) -> None:
        try:
            self.keeper.run(stop)
        except BaseException as error:
            self.error = error

    def _bridge(self, partition: Partition) -> Bridge:
        self._close(partition.number)
        client = connect(self.url, "bridge", retries=0, report_loss=True)
        queues = TaskQueues(
            numbers=TaskNumbers(self.clients[0]),
            server=self.place.server,
            partition=partition.number,
        )
        self.opened[partition.number] = (queues, client)
        # The tasks of the first server wait there, where it says so itself.
        elsewhere = bool(self.settings.broker_url or self.place.server)
        reports = elsewhere and partition.number == 0
        if not elsewhere and partition.number == 0:
            forget_broker(self.client)
        return Bridge(
            client,
            self.settings,
            queues.send,
            _report_lengths(queues, client) if reports else queues.waiting_tasks,
            forget_tasks=queues.forget,
            tracing=self.tracing,
            partition=partition,
            stands_by=False,
            place=self.place,
            clients=self.clients,
        )

    def _close(self, number: int) -> None:
        """Close what the bridge of a partition had, which has ended."""
        if number in self.opened:
            queues, client = self.opened.pop(number)
            queues.close()
            client.close()


def _report_lengths(queues: TaskQueues, client: Client) -> WaitingTasks:
    """Let the lengths that the bridge asks for be known to API and commands.

    They need no connection to the broker, and no password of it.
    """
    *_, last = FAMILIES

    def waiting_tasks(family: str) -> list[list[str]] | None:
        found = queues.waiting_tasks(family)
        if family == last:
            write_broker(client, queues.address, queues.problem, queues.lengths)
        return found

    return waiting_tasks
