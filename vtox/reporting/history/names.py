"""The small numbers of machine and quantity, and of state and code, in the tables."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Table, select, tuple_

from vtox.pipeline.store.machines.points import Point
from vtox.reporting.history.database import insert
from vtox.reporting.history.downsampling import Row
from vtox.reporting.history.schema import outcomes, series

# So many pairs in one query: SQLite takes 32,766 values, older ones 999.
_PAIRS_PER_QUERY = 400


class Names:
    """Knows the numbers that it has met. To be forgotten when a transaction fails.

    The rows that it added are gone then, and their numbers may be given to others.
    """

    def __init__(self) -> None:
        self._series: dict[tuple[str, str], int] = {}
        self._outcomes: dict[tuple[str, str], int] = {}

    def rows(self, db: Connection, points: list[Point]) -> list[Row]:
        """Return the points with numbers for names, new ones added to the tables."""
        _number(db, series, self._series, {(p.machine_id, p.quantity) for p in points})
        _number(db, outcomes, self._outcomes, {(p.state, p.code) for p in points})
        return [
            Row(
                self._series[p.machine_id, p.quantity],
                p.t_ms,
                p.id_ms,
                p.id_seq,
                self._outcomes[p.state, p.code],
                p.duration_ms,
                p.value,
                p.threshold,
                p.severity,
                p.marks,
                p.confidence,
                p.windows,
            )
            for p in points
        ]

    def forget(self) -> None:
        """Forget all numbers."""
        self._series.clear()
        self._outcomes.clear()


def _number(
    db: Connection,
    table: Table,
    numbers: dict[tuple[str, str], int],
    pairs: Iterable[tuple[str, str]],
) -> None:
    """Add the numbers of pairs that are not in `numbers` yet, from the table or new in it."""
    unknown = [pair for pair in pairs if pair not in numbers]
    if not unknown:
        return
    numbers |= _numbers(db, table, unknown)
    # Looked up first: an insert that changes nothing takes a number of PostgreSQL all the same.
    if new := [pair for pair in unknown if pair not in numbers]:
        _, first, second = table.columns
        added = insert(db, table).on_conflict_do_nothing()
        db.execute(added, [{first.name: a, second.name: b} for a, b in new])
        numbers |= _numbers(db, table, new)


def numbers_of_series(
    db: Connection, pairs: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Return machine and quantity -> number, if the history has them."""
    return _numbers(db, series, list(pairs))


def _numbers(
    db: Connection, table: Table, pairs: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    id_, first, second = table.columns
    for start in range(0, len(pairs), _PAIRS_PER_QUERY):
        part = pairs[start : start + _PAIRS_PER_QUERY]
        rows = db.execute(select(id_, first, second).where(tuple_(first, second).in_(part)))
        found |= {(a, b): number for number, a, b in rows}
    return found
