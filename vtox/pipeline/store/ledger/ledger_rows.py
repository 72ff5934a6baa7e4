"""The codec of records, as the ledger and the notes of the learning keep them: JSON.

Two versions of VTOX may share a server for a while. A field that this one does not know is ignored;
a row of another format version is refused.
"""

import re

import orjson

from vtox.motor.values import codec
from vtox.motor.values.domain import Record
from vtox.pipeline.errors import LedgerRowError

VERSION = 1
_IDS = re.compile(r"\d{1,20}-\d{1,20}( \d{1,20}-\d{1,20})*")
_HEAD = b'{"v":%d,' % VERSION


def record_json(r: Record) -> bytes:
    """Return a record with the version of its format."""
    return _HEAD + orjson.dumps(r)[1:]


def record_from_json(text: bytes) -> Record:
    """Return a record that the ledger keeps.

    Raises `LedgerRowError`: it is damaged, or of a version that this one does not know.
    """
    try:
        table = codec.loads(text)
    except ValueError as error:
        raise LedgerRowError("damaged_row", f"no JSON: {error}") from error
    if not isinstance(table, dict):
        raise LedgerRowError("damaged_row", f"expected an object, not {type(table).__name__}")
    if (version := table.get("v", VERSION)) != VERSION:
        raise LedgerRowError("unknown_version", f"version {version!r}, expected {VERSION}")
    try:
        record = codec.from_plain(Record, table)
    except ValueError as error:
        raise LedgerRowError("damaged_row", str(error)) from error
    if not _IDS.fullmatch(record.ids) or record.windows < 1 or record.bytes < 0:
        raise LedgerRowError("damaged_row", "no ids of windows, or no size")
    if record.partition < 0 or record.arrived_ms < 0:
        raise LedgerRowError("damaged_row", "a partition or an arrival below 0")
    return record
