"""What was trimmed before it was recorded, as rows and in words."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from vtox.history.schema import missed
from vtox.store.stream_reader import Missed

# So many of the last ones are told to people; the table has all.
MISSED_NAMED = 3


def missed_between(
    db: Connection, streams: Sequence[str], from_s: float, to_s: float
) -> list[Missed]:
    """Return what was trimmed unread of some streams and arrived between two times."""
    found = db.execute(select(missed).where(missed.c.stream.in_(streams)))
    gaps = [Missed(r.stream, r.after_id, r.before_id, r.entries) for r in found]
    between = [g for g in gaps if g.before_s >= from_s and g.after_s <= to_s]
    return sorted(between, key=lambda g: g.after_s)


def missed_sentence(gaps: Sequence[Missed]) -> str:
    """Return the last of some gaps in words; empty for none."""
    return "; ".join(
        f"{'an unknown number of' if g.entries is None else g.entries} entries of {g.stream} "
        f"between {_utc(g.after_s)} and {_utc(g.before_s)}"
        for g in gaps[-MISSED_NAMED:]
    )


def _utc(t: float) -> str:
    return datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
