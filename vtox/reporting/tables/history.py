"""`vtox.history`: a table of the history as a DataFrame."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vtox.motor.errors import InputError
from vtox.motor.values.frames import frame
from vtox.pipeline.configuration.settings import Settings, load
from vtox.reporting.history.database import explain_errors, reading
from vtox.reporting.tables.rows import last_seconds, rows, table_of

if TYPE_CHECKING:
    from pandas import DataFrame


def history(
    machines: str | Sequence[str] = (),
    *,
    table: str = "trend_hours",
    days: float | None = None,
    settings: Settings | None = None,
) -> "DataFrame":
    """Return a table of the history, by machine and time.

    It is read from the database itself: on the host of VTOX, or where `VTOX_DATABASE_URL` leads
    to PostgreSQL.

    Parameters
    ----------
    machines : str or sequence of str
        Only these; without any, all.
    table : str
        `machine_state`, `trend_hours`, `alarms`, `diagnoses`, `energy` or `starts`. Their columns
        are in `docs/reference/tables.md`; times become `datetime64` in UTC.
    days : float, optional
        Only the last days up to the latest result; without it, everything that is kept.
    settings : Settings, optional
        The place of the history; without them, as `vtox config` shows.

    Returns
    -------
    pandas.DataFrame
        Without rows if nothing was recorded yet.

    Raises
    ------
    InputError
        There is no such table, `days` is not above 0, or pandas is not installed.
    HistoryUnavailable
        The database does not answer.
    """
    if days is not None and not days > 0:
        raise InputError(f"days: {days}, expected more than 0")
    columns = table_of(table).columns
    settings = settings or load()
    only = (machines,) if isinstance(machines, str) else machines
    with reading(settings) as db, explain_errors(settings):
        found = []
        if db is not None:
            from_t = last_seconds(db, None if days is None else 86_400 * days)
            found = list(rows(db, table, only, from_t=from_t))
    values = dict(zip(columns, zip(*found, strict=True), strict=True)) if found else {}
    return frame(
        {name: list(values.get(name, ())) for name in columns},
        times=[name for name, kind in columns.items() if kind == "time"],
    )
