"""Entries of the streams that VTOX writes, as its own codec writes them."""

from itertools import count
from typing import Any

from tests.naive_entries import encode_result
from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.alarms.health.assessment import Assessment
from vtox.motor.values.domain import reason
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.entries import (
    Metrics,
    Result,
    Texts,
    entry_of,
)

RESULT = Result(
    machine_id="M1",
    fault="bearing",
    family="bearing",
    run="",
    first_seq=0,
    last_seq=1,
    t_start=0.0,
    t_end=0.0,
    state="normal",
    code="no_defect_lines",
    statistic=1.0,
    threshold=4.0,
    severity=0.0,
)


_SEQS = count()


def add(client: Client, stream: str, texts: Texts, entry_id: str = "*") -> str:
    """Add an entry to a stream."""
    reply: bytes = client.execute_command("XADD", stream, entry_id, *texts)
    return reply.decode()


def add_result(client: Client, t_end: float, *, entry_id: str = "*", **changes: Any) -> str:
    """Add a result of a record of 2 s, of windows that no other one has."""
    fields = {n: getattr(RESULT, n) for n in RESULT.__dataclass_fields__}
    times = {"t_start": t_end - 2, "t_end": t_end}
    seq = 2 * next(_SEQS)
    seqs = {"first_seq": seq, "last_seq": seq + 1}
    texts, _ = encode_result(Result(**(fields | times | seqs | changes)))
    return add(client, keys.RESULTS, texts, entry_id)


def add_assessment(client: Client, t: float, health: float, state: Any = "normal") -> str:
    """Add an assessment of M1."""
    return add(
        client, keys.ASSESSMENTS, ["machine_id", "M1", *entry_of(Assessment(t, health, state, {}))]
    )


def add_metrics(client: Client, t: float, **figures: Any) -> str:
    """Add an entry of `performance_metrics`."""
    return add(client, keys.METRICS, entry_of(Metrics(t=t, interval_s=10.0, **figures)))


def alert_fields(t: float, event: Any = "raised", **changes: Any) -> Any:
    """The fields of an event of an alert of M1."""
    fields: dict[str, Any] = {"id": "M1:bearing:1", "machine_id": "M1"}
    fields |= {"fault": "bearing", "level": "warning"}
    words: dict[str, Any] = {"code": "impacts", "reason": "impacts of the outer race"}
    words |= {"doubts": (reason("no_baseline"),)}
    return entry_of(Alert(event=event, t=t, **(fields | words | changes)))


def add_alert(client: Client, t: float, event: Any = "raised", **changes: Any) -> str:
    """Add an event of an alert of M1."""
    return add(client, keys.ALERTS, alert_fields(t, event, **changes))
