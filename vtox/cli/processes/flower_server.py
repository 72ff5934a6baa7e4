"""Flower with additions to its own command: a password on every page, and no foreign Host."""

import base64
import hmac
import signal
import sys
from typing import Any

import flower.command
import flower.urls
from flower.app import Flower
from flower.options import options
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler

from vtox.cli.processes.flower_events import OnDemandEvents
from vtox.pipeline.cluster.flower_password import USER, flower_password
from vtox.pipeline.cluster.host_names import is_own_name
from vtox.pipeline.cluster.ports import LOOPBACK
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.queues import celery_app

# Flower keeps so many tasks; with 10,000 it took 171 MB after 12 minutes of 50 windows/s.
MAX_TASKS = 1_000
# Repeated requests of probes are no look at a page.
PROBED = "/healthcheck"


def run(settings: Settings) -> None:
    """Serve until stopped, on loopback and for reading: its buttons would stop workers."""
    password = flower_password(settings)
    options.address, options.port = LOOPBACK, settings.flower_port
    options.read_only, options.max_tasks = True, MAX_TASKS
    options.basic_auth = [f"{USER}:{password}"] if password else []
    flower.command.setup_logging()
    app = _GuardedFlower(settings, password)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    app.start_http_server()
    try:
        app.start()
    finally:
        app.stop()


class _GuardedFlower(Flower):  # type: ignore[misc]
    """Refuses before any page is looked up; Flower asks for a password on some pages only."""

    def __init__(self, settings: Settings, password: str | None) -> None:
        app, loop = celery_app.app, IOLoop.current()
        events = OnDemandEvents(app, loop, max_tasks_in_memory=options.max_tasks)
        super().__init__(capp=app, options=options, events=events, **flower.urls.settings)
        self._names = settings.allowed_hosts
        self._credentials = f"{USER}:{password}".encode() if password else None

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate:
        """Return the delegate that answers a request."""
        delegate: HTTPMessageDelegate
        if not is_own_name(request.headers.get("Host", ""), self._names):
            delegate = self.get_handler_delegate(request, _RefusedRequest, {"status": 403})
        elif self._credentials and not self._carries_password(request):
            delegate = self.get_handler_delegate(request, _RefusedRequest, {"status": 401})
        else:
            if request.path != PROBED:
                self.events.look()
            delegate = super().find_handler(request, **kwargs)
        return delegate

    def _carries_password(self, request: HTTPServerRequest) -> bool:
        kind, _, text = request.headers.get("Authorization", "").partition(" ")
        try:
            credentials = base64.b64decode(text, validate=True)
        except ValueError:
            return False
        return kind == "Basic" and hmac.compare_digest(credentials, self._credentials or b"")


class _RefusedRequest(RequestHandler):
    """The answer to a request that may not enter."""

    def initialize(self, status: int) -> None:
        """Take the status: 401 or 403."""
        self._status = status

    def check_xsrf_cookie(self) -> None:
        """Check nothing: every method is refused."""

    def prepare(self) -> None:
        """Answer."""
        self.set_status(self._status)
        if self._status == 401:
            self.set_header("WWW-Authenticate", 'Basic realm="Flower of VTOX"')
        self.set_header("Content-Type", "text/plain")
        self.finish("password needed\n" if self._status == 401 else "not a name of this service\n")
