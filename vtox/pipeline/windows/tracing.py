"""Traces: the work of each process on one window, as spans of OpenTelemetry.

`docs/howto/trace-windows.md` shows how to use them.

A window with a `traceparent` (W3C Trace Context) is followed from its arrival to the commit of its
results. For the others the bridge starts a trace for its own share. Spans are made after the fact,
from two moments each, and sent in the background: a collector that is away delays nothing.
"""

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vtox.pipeline.configuration.version import install_command, version
from vtox.pipeline.errors import SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_TRACEPARENT = re.compile(
    r"00-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
)
_SAMPLED = 1
Attributes = Mapping[str, str | int | float]
# The spans of this time may be lost with a process that is killed.
SEND_EVERY_S = 1.0
# A collector that hangs must not delay a process that ends.
SEND_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Span:
    """One piece of work: its name, and when it began and ended, s since 1970."""

    name: str
    start_t: float
    end_t: float


class Tracing:
    """Makes and sends the spans of one process."""

    def __init__(self, provider: "TracerProvider", share: float = 0.0) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("vtox", version())
        self._share = share

    def is_traced(self, traceparent: str) -> bool:
        """Return whether a window is followed: its sender wants it, or it is of the share."""
        if parent := _TRACEPARENT.fullmatch(traceparent):
            return bool(int(parent["flags"], 16) & _SAMPLED)
        return random.random() < self._share

    def add(
        self,
        span: Span,
        parent: str = "",
        attributes: Attributes | None = None,
        parts: Iterable[Span] = (),
    ) -> str:
        """Add a span, with the parts it consists of, below a `traceparent`; return its own.

        Without a parent, or with one that cannot be read, it begins a trace.
        """
        # Not at the top: the package is optional.
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        context = TraceContextTextMapPropagator().extract({"traceparent": parent})
        made = self._tracer.start_span(
            span.name, context, attributes=attributes, start_time=_ns(span.start_t)
        )
        below = trace.set_span_in_context(made)
        for part in parts:
            self._tracer.start_span(part.name, below, start_time=_ns(part.start_t)).end(
                _ns(part.end_t)
            )
        made.end(_ns(span.end_t))
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier, below)
        return carrier["traceparent"]

    def flush(self) -> None:
        """Send the remaining spans, for a limited time."""
        self._provider.force_flush(int(1000 * SEND_TIMEOUT_S))


def start_tracing(url: str | None, share: float, process: str) -> Tracing | None:
    """Return the `Tracing` of a share of the windows, None without the URL of a collector.

    Raises `SettingsError`: a collector is set, and OpenTelemetry is not installed.
    """
    if not url:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise SettingsError(
            "VTOX_TRACES_URL needs OpenTelemetry", remedy=install_command("otel")
        ) from error
    resource = Resource.create({"service.name": "vtox", "service.instance.id": process})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(url, timeout=SEND_TIMEOUT_S)
    provider.add_span_processor(
        BatchSpanProcessor(exporter, schedule_delay_millis=1000 * SEND_EVERY_S)
    )
    return Tracing(provider, share)


def _ns(t: float) -> int:
    return int(1e9 * t)
