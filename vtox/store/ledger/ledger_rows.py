"""The codec of records, as the ledger and the notes of the learning keep them: JSON.

Two versions of VTOX may share a server for a while. A field that this one does not know is ignored;
a row of another format version is refused.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from vtox.errors import LedgerRowError
from vtox.values import codec
from vtox.values.domain import Reason, Record, reason

VERSION = 1
_TYPES: Mapping[str, tuple[type, ...]] = {
    "machine_id": (str,),
    "run": (str,),
    "first_seq": (int,),
    "last_seq": (int,),
    "t_start": (float, int),
    "t_end": (float, int),
    "ids": (str,),
    "windows": (int,),
    "bytes": (int,),
}
_IDS = re.compile(r"\d{1,20}-\d{1,20}( \d{1,20}-\d{1,20})*")
_HEAD = b'{"v":%d,' % VERSION


def record_json(r: Record) -> bytes:
    """Return a record with the version of its format."""
    return _HEAD + orjson.dumps(r)[1:]


def record_from_json(text: bytes) -> Record:
    """Return a record that the ledger keeps.

    Raises
    ------
    LedgerRowError
        It is damaged, or of a version that this one does not know.
    """
    try:
        return record_from_table(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise LedgerRowError("damaged_row", f"no JSON: {error}") from error


def record_from_table(table: Any) -> Record:
    """Return a record that was kept; in one of an older version `closed` is a sentence.

    Raises
    ------
    LedgerRowError
        As `record_from_json`.
    """
    if not isinstance(table, dict):
        raise LedgerRowError("damaged_row", f"expected an object, not {type(table).__name__}")
    if (version := table.get("v", VERSION)) != VERSION:
        raise LedgerRowError("unknown_version", f"version {version!r}, expected {VERSION}")
    wrong = [name for name, types in _TYPES.items() if type(table.get(name)) not in types]
    if wrong:
        raise LedgerRowError("damaged_row", f"no usable {', '.join(wrong)}")
    if not _IDS.fullmatch(table["ids"]) or table["windows"] < 1 or table["bytes"] < 0:
        raise LedgerRowError("damaged_row", "no ids of windows, or no size")
    closed = table.get("closed")
    try:
        if isinstance(closed, str) and closed:
            closed = reason("ended_early", why=closed)
        elif closed:
            closed = codec.from_plain(Reason, closed)
    except ValueError as error:
        raise LedgerRowError("damaged_row", f"closed: {closed!r}") from error
    return Record(
        **{name: table[name] for name in _TYPES},
        closed=closed or None,
        shared=_text(table.get("shared")),
        traces=_text(table.get("traces")),
        partition=_count(table.get("partition")),
        arrived_ms=_count(table.get("arrived_ms")),
    )


def _count(value: Any) -> int:
    """Return a number that earlier versions did not write: 0 then."""
    return value if type(value) is int and value >= 0 else 0


def _text(value: Any) -> str:
    """Return what only makes a record faster to read, or to follow: empty if it is no text."""
    return value if isinstance(value, str) else ""
