"""The coordinator process, `vtox bridge`: the stream bridge, the monitor and their port."""

import threading

import structlog

from vtox.bridge.loop import Bridge, WaitingTasks
from vtox.cluster.probe_server import serve
from vtox.cluster.signal_handlers import stop_event
from vtox.faults import FAMILIES
from vtox.monitoring import monitor
from vtox.queues.task_queues import TaskQueues
from vtox.settings import Settings
from vtox.store.agreement import require_agreement
from vtox.store.client import Client, check_when_loaded, connect
from vtox.store.task_queues import forget_broker, write_broker
from vtox.tracing import start_tracing

log = structlog.get_logger()


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
    # What the bridge remembers may be unknown to the server behind another connection.
    client = connect(settings.samples_url(), "bridge", retries=0, report_loss=True)
    check_when_loaded(client)
    require_agreement(client, settings)
    queues = TaskQueues()
    if settings.broker_url:
        waiting_tasks = _report_lengths(queues, client)
    else:
        forget_broker(client)
        waiting_tasks = queues.waiting_tasks
    tracing = start_tracing(settings, "bridge")
    bridge = Bridge(
        client,
        settings,
        queues.send,
        waiting_tasks,
        forget_tasks=queues.forget,
        tracing=tracing,
    )
    serve(
        settings.probe_host,
        settings.coordinator_port,
        names=settings.allowed_hosts,
        live=bridge.live,
        ready=lambda: (bridge.owner, "" if bridge.owner else "does not own the stream"),
    )
    watcher = threading.Thread(
        target=monitor.run,
        args=(connect(settings.working_url(), "monitor"), settings, stop, lambda: bridge.owner),
        name="monitor",
        daemon=True,
    )
    watcher.start()
    bridge.run(stop)
    if tracing:
        tracing.flush()
    queues.close()
    watcher.join(timeout=2)
    log.info("coordinator stopped")


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
