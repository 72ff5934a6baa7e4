"""The spans of the bridge: the admission of a window, and the dispatch of a record with it."""

import time
from collections.abc import Iterable
from dataclasses import replace

from vtox.motor.values.domain import Record
from vtox.pipeline.bridge.record_joiner import Piece
from vtox.pipeline.store.stream.admissions import arrived_ms
from vtox.pipeline.windows.tracing import Attributes, Span, Tracing


def traced_pieces(tracing: Tracing, pieces: Iterable[Piece]) -> list[Piece]:
    """Return admitted windows, the followed ones with the span of their admission.

    It begins when the server took the entry, by the server's clock.
    """
    now = time.time()
    return [
        replace(p, trace=_admission(tracing, p, now))
        if tracing.is_traced(p.header.traceparent)
        else p
        for p in pieces
    ]


def _admission(tracing: Tracing, p: Piece, now: float) -> str:
    about: Attributes = {
        "vtox.machine_id": p.header.machine_id,
        "vtox.seq": p.header.seq,
        "vtox.entry_id": p.entry_id,
    }
    arrived_t = arrived_ms(p.entry_id.encode(), p.header) / 1000
    return tracing.add(Span("admit", arrived_t, now), p.header.traceparent, about)


def trace_dispatch(tracing: Tracing, family: str, records: Iterable[Record]) -> None:
    """Add the dispatch of records to the traces of their windows, from the last one's arrival."""
    now = time.time()
    for r in records:
        about: Attributes = {
            "vtox.record_id": r.record_id(family),
            "vtox.pipeline.windows": r.windows,
        }
        for parent in r.traces.split():
            tracing.add(Span(f"dispatch {family}", r.arrived_t, now), parent, about)
