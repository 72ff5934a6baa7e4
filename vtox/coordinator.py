"""The coordinator process, `vtox bridge`: the stream bridge, the monitor and their port."""

import threading

import structlog

from vtox.bridge.loop import Bridge
from vtox.cluster.probe_server import serve
from vtox.cluster.signal_handlers import stop_event
from vtox.monitoring import monitor
from vtox.queues import celery_app
from vtox.settings import Settings
from vtox.store.client import check, connect

log = structlog.get_logger()


def run(settings: Settings) -> None:
    """Bridge and measure until SIGTERM or SIGINT.

    Raises
    ------
    ServerUnavailable
        The server does not answer at the start; later it is waited for.
    PortTaken
        `VTOX_COORDINATOR_PORT` is in use.
    """
    stop = stop_event()
    client = connect(settings.samples_url(), "bridge", retries=0)
    check(client)
    broker = connect(settings.working_url(), "bridge-queues")
    bridge = Bridge(
        client,
        settings,
        celery_app.send,
        lambda family: celery_app.waiting_tasks(broker, family),
    )
    serve(
        settings.probe_host,
        settings.coordinator_port,
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
    watcher.join(timeout=2)
    log.info("coordinator stopped")
