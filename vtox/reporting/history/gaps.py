"""Entries that were trimmed before they were recorded, as rows and in words."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, select

from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream import outputs
from vtox.pipeline.store.stream.stream_reader import BEGIN, Missed
from vtox.reporting.history.database import insert
from vtox.reporting.history.schema import missed

# So many of the last ones are shown to people; the table has all.
MISSED_NAMED = 3


def missed_between(
    db: Connection, streams: Sequence[str], from_s: float, to_s: float
) -> list[Missed]:
    """Return the entries of some streams that were trimmed unread and arrived between two times."""
    found = db.execute(select(missed).where(missed.c.stream.in_(streams)))
    gaps = [Missed(r.stream, r.after_id, r.before_id, r.entries) for r in found]
    between = [g for g in gaps if g.before_s >= from_s and g.after_s <= to_s]
    return sorted(between, key=lambda g: g.after_s)


def write_lost(engine: Engine, client: Client, streams: Sequence[str]) -> None:
    """Record as missed all entries of some streams before the ones that they still hold."""
    rows = []
    for stream in streams:
        found = outputs.extent_and_after(client, stream, BEGIN, count=1)
        if found is not None and found[0].added > found[0].length:
            extent, entries = found
            oldest = entries[0][0].decode() if entries else extent.last_id
            rows.append(asdict(Missed(stream, BEGIN, oldest, None)))
    if rows:
        with engine.begin() as db:
            db.execute(insert(db, missed).on_conflict_do_nothing(), rows)


def missed_sentence(gaps: Sequence[Missed]) -> str:
    """Return the last of some gaps in words; empty for none."""
    return "; ".join(map(_sentence, gaps[-MISSED_NAMED:]))


def _sentence(gap: Missed) -> str:
    if gap.after_id == BEGIN:
        return f"all of {gap.stream} before {_utc(gap.before_s)}"
    n = "an unknown number of" if gap.entries is None else gap.entries
    return f"{n} entries of {gap.stream} between {_utc(gap.after_s)} and {_utc(gap.before_s)}"


def _utc(t: float) -> str:
    return datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
