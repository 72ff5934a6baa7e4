"""The coordinator process, `vtox bridge`: the stream bridge, the monitor and their port."""

import gc
import threading

import structlog

from vtox.motor.faults import FAMILIES
from vtox.pipeline.bridge.dispatcher import WaitingTasks
from vtox.pipeline.bridge.loop import Bridge
from vtox.pipeline.bridge.partition_keeper import PartitionKeeper
from vtox.pipeline.cluster.probe_server import serve
from vtox.pipeline.cluster.signal_handlers import stop_event
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.monitoring import monitor
from vtox.pipeline.queues.task_queues import TaskQueues
from vtox.pipeline.store.ledger.task_queues import TaskNumbers, forget_broker, write_broker
from vtox.pipeline.store.server.client import Client, check_when_loaded, connect
from vtox.pipeline.store.system.agreement import require_agreement
from vtox.pipeline.windows.partitions import Partition
from vtox.pipeline.windows.tracing import Tracing, start_tracing

log = structlog.get_logger()

_OWNS_NOTHING = "does not own the stream"


def run(settings: Settings) -> None:
    """Bridge and measure until SIGTERM or SIGINT.

    Raises `ServerUnavailable`: the server does not answer at the start; one that is loading its log
    is waited for. `SystemStateError`: Other processes work on other terms. `PortTaken`:
    `VTOX_COORDINATOR_PORT` is in use.
    """
    gc.freeze()  # as in a worker: imported objects are in no collection
    stop = stop_event()
    client = connect(settings.samples_url(), "bridge")
    check_when_loaded(client)
    require_agreement(client, settings)
    tracing = start_tracing(settings.traces_url, settings.traces_share, "bridge")
    bridges = _Bridges(client, settings, tracing)
    keeper = PartitionKeeper(client, settings.stream_partitions, bridges.make)
    serve(
        settings.probe_host,
        settings.coordinator_port,
        setting="VTOX_COORDINATOR_PORT",
        names=settings.allowed_hosts,
        live=keeper.live,
        ready=lambda: (True, "") if keeper.owner else (False, _OWNS_NOTHING),
    )
    watched = connect(settings.samples_url(), "monitor"), settings, stop, lambda: keeper.owns(0)
    watcher = threading.Thread(target=monitor.run, args=watched, name="monitor", daemon=True)
    watcher.start()
    keeper.run(stop)
    bridges.close()
    watcher.join(timeout=2)
    if tracing:
        tracing.flush()
    log.info("coordinator stopped")


class _Bridges:
    """Makes the bridge of each partition.

    Each has its own connections: one that waits for the broker, or has lost a connection, holds no
    other. The data that a bridge remembers may be unknown to the server behind another connection.
    """

    def __init__(self, client: Client, settings: Settings, tracing: Tracing | None) -> None:
        self.client = client
        self.settings = settings
        self.tracing = tracing
        self.opened: dict[int, tuple[TaskQueues, Client]] = {}

    def make(self, partition: Partition) -> Bridge:
        """Return a bridge; close the connections of the one before it."""
        self._close(partition.number)
        client = connect(self.settings.samples_url(), "bridge", retries=0, report_loss=True)
        queues = TaskQueues(numbers=TaskNumbers(self.client), partition=partition.number)
        self.opened[partition.number] = (queues, client)
        elsewhere = bool(self.settings.broker_url)
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
        )

    def close(self) -> None:
        """Close the connections of all bridges, which have ended."""
        for number in list(self.opened):
            self._close(number)

    def _close(self, number: int) -> None:
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
