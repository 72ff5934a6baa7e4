"""Whatever a row of the ledger holds: a record that can be worked on, or a refusal with a code."""

from dataclasses import replace

from tests.broken_entries import JSON, LARGE, broken_tables
from tests.unit.pipeline.store.test_entries import RECORD
from vtox.motor.values.domain import Record, reason
from vtox.pipeline.store.ledger.ledger_rows import record_from_json, record_json
from vtox.pipeline.store.stream.unreadable import Unreadable, read

ROW = record_json(replace(RECORD, closed=reason("ended_by_gap", gap_s=2.0)))


def test_no_row_raises() -> None:
    codes = set()
    for text in (*JSON, *LARGE, *broken_tables(ROW)):
        row = read(record_from_json, text)
        if isinstance(row, Unreadable):
            codes.add(row.code)
            continue
        assert isinstance(row, Record)
        assert row.arrived_t >= 0
        assert row.bytes // row.windows >= 0
        assert record_from_json(record_json(row)) == row
    assert codes == {"damaged_row", "unknown_version"}
