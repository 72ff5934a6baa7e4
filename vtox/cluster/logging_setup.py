"""Structured logs on standard error: one JSON object a line, or readable text on a terminal."""

import logging
import sys
import warnings
from typing import Any

import structlog

# Loggers of other people's that bring handlers of their own.
FOREIGN = ("uvicorn", "uvicorn.error", "uvicorn.access", "celery", "celery.task", "tornado.access")
# Each request or each task as a line would bury what matters.
QUIET = ("uvicorn.access", "tornado.access", "celery.app.trace", "celery.worker.strategy", "httpx")


def setup(role: str, level: int = logging.INFO) -> None:
    """Send every log of this process, our own and the libraries', through one format."""

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
        [structlog.dev.ConsoleRenderer(timestamp_key="t")]
        if sys.stderr.isatty()
        else [
            structlog.processors.format_exc_info,
            _first_things_first,
            structlog.processors.JSONRenderer(default=str),
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
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
    # It recommends the option that loses tasks on a Redis broker.
    warnings.filterwarnings("ignore", message=r"\s*In Celery 5\.1 we introduced")
    for name in FOREIGN:
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _first_things_first(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    event.pop("color_message", None)  # uvicorn's own copy of the message
    return {k: event.pop(k) for k in ("t", "level", "role", "event") if k in event} | event
