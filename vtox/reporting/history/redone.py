"""Finds results that are recorded already: a server that lost its last second has them made again.

Workers then diagnose the same windows, and the entry gets another id. Mostly nothing is looked up:
an entry later than all that is recorded of its series is new.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, select

from vtox.reporting.history.downsampling import Row
from vtox.reporting.history.schema import records

# A sender whose clock is ahead has its records placed by their arrival. One that is made again is
# later by the time that the server was away, and until the record was dispatched again.
LATER_MS = 600_000

_c = records.c
# Made once: a recorder that starts asks it for each series.
_WINDOWS = select(_c.windows).where(
    _c.series_id == bindparam("series_id"),
    _c.windows.is_not(None),
    _c.t_ms.between(bindparam("first_ms"), bindparam("last_ms")),
)


class Redone:
    """Holds the time of the last record of each series, if this recorder has written it."""

    def __init__(self) -> None:
        self._last_ms: dict[int, int] = {}

    def entries(self, db: Connection, rows: Iterable[Row]) -> set[tuple[int, int]]:
        """Return the ids of the entries whose windows were recorded by an earlier one.

        Earlier is in the tables, or before it among `rows`: where a portion ends does not matter.
        """
        looked_for: dict[int, list[Row]] = {}
        last_ms, found = self._last_ms, set()
        seen: dict[tuple[int, str], Row] = {}
        for row in rows:
            if row.windows is None:
                continue
            later_than_all = row.id_ms > row.t_ms > last_ms.get(row.series_id, row.t_ms)
            before = seen.setdefault((row.series_id, row.windows), row)
            if before is not row and _earliest_ms(row) <= before.t_ms <= row.t_ms:
                found.add((row.id_ms, row.id_seq))
            elif not later_than_all:
                looked_for.setdefault(row.series_id, []).append(row)
        for series_id, of_series in looked_for.items():
            known = _windows(db, series_id, of_series)
            found |= {(r.id_ms, r.id_seq) for r in of_series if r.windows in known}
        return found

    def note(self, rows: Iterable[Row]) -> None:
        """Note rows that are written."""
        for row in rows:
            if row.windows is not None and row.t_ms > self._last_ms.get(row.series_id, -1):
                self._last_ms[row.series_id] = row.t_ms

    def forget(self) -> None:
        """Forget them: another recorder may have written others."""
        self._last_ms.clear()


def _earliest_ms(row: Row) -> int:
    """Return from when on the same windows may be placed."""
    return row.t_ms - (LATER_MS if row.t_ms == row.id_ms else 0)


def _windows(db: Connection, series_id: int, rows: list[Row]) -> set[str]:
    first_ms = min(map(_earliest_ms, rows))
    last_ms = max(r.t_ms for r in rows)
    given = {"series_id": series_id, "first_ms": first_ms, "last_ms": last_ms}
    return set(db.execute(_WINDOWS, given).scalars())
