"""Rows as a DataFrame of pandas, which is loaded only then."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from vtox.motor.errors import InputError, remedy_of_extra
from vtox.motor.values.domain import Diagnosis
from vtox.motor.values.plain_data import digits

if TYPE_CHECKING:
    from pandas import DataFrame

_SHOWN = ("fault", "state", "severity", "confidence", "statistic", "threshold", "reason")


def frame(columns: Mapping[str, Any], *, times: Iterable[str] = ()) -> "DataFrame":
    """Return columns of equal length as a DataFrame; those of `times` are s since 1970 (UTC).

    Raises `InputError`: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        remedy = remedy_of_extra("tables")
        raise InputError("a DataFrame needs the package pandas", remedy=remedy) from error
    found = pd.DataFrame(columns)
    for name in times:
        found[name] = pd.to_datetime(found[name].astype("float64"), unit="s", utc=True)
    return found


class DiagnosisList(list[Diagnosis]):
    """The diagnoses of one record: a list, a DataFrame on request, a table in a notebook."""

    def to_frame(self) -> "DataFrame":
        """Return a row for each fault, with its indicators as columns `indicators.<name>`.

        Raises `InputError`: pandas is not installed.
        """
        names = dict.fromkeys(name for d in self for name in d.indicators)
        return frame(
            {name: [getattr(d, name) for d in self] for name in (*_SHOWN, "code")}
            | {f"indicators.{name}": [d.indicators.get(name) for d in self] for name in names}
        )

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in _SHOWN)
        rows = ([getattr(d, name) for name in _SHOWN] for d in self)
        body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    return f"<td>{escape('' if value is None else digits(value))}</td>"
