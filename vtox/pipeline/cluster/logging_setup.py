"""Structured logs on standard error: one JSON object a line, or readable text on a terminal."""

import logging
import sys
import warnings
from typing import Any

import structlog
from structlog.dev import plain_traceback

from vtox.motor.faults import PACKAGES, REFUSED
from vtox.motor.words.catalogue import refused_words
from vtox.pipeline.cluster.repeated_lines import RepeatedLines

log = structlog.get_logger()

# Loggers of libraries that install their own handlers.
LIBRARY_LOGGERS = (
    "uvicorn",
    "uvicorn.error",
    "uvicorn.access",
    "celery",
    "celery.task",
    "tornado.access",
)
# A line for each request and each task would hide the important lines.
QUIET_LOGGERS = (
    "uvicorn.access",
    "tornado.access",
    "alembic",
    "celery.app.trace",
    "celery.worker.strategy",
    "httpx",
    "httpx2",
)


def setup(role: str, level: int = logging.INFO) -> None:
    """Write every log line of this process, our own and the libraries', in one format."""

    def with_role(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
        return {"role": role} | event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="t"),
        with_role,
    ]
    render: list[Any] = (
        [structlog.dev.ConsoleRenderer(timestamp_key="t", exception_formatter=plain_traceback)]
        if sys.stderr.isatty()
        else [
            structlog.processors.format_exc_info,
            _order_fields,
            structlog.processors.JSONRenderer(default=str),
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = RepeatedLines(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    # This warning recommends the option that loses tasks on a Redis broker.
    warnings.filterwarnings("ignore", message=r"\s*In Celery 5\.1 we introduced")
    for name in LIBRARY_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    for r in (*REFUSED, *(refused_words() if PACKAGES else ())):
        log.error(
            "a package is left out", fault=r.name, package=r.package, code=r.code, reason=r.detail
        )


def _order_fields(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    event.pop("color_message", None)  # uvicorn's own copy of the message
    return {k: event.pop(k) for k in ("t", "level", "role", "event") if k in event} | event
