"""Files of the history: texts of senders are texts in CSV, and as they were in Parquet."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import create_engine

from vtox.reporting.history.views import TABLES
from vtox.reporting.tables import export

TEXTS = ["=1+1", "-2+3", "+1", "@x", "\tx", "\rx", "'=1", "'x"]
VALUES = {"time": 1.7e9, "number": -1.5, "whole": -2}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every table, with a row for each text in all its columns of texts."""

    def rows(db: Any, name: str, machines: Any, *, from_t: float) -> Iterator[tuple[Any, ...]]:
        for text in TEXTS:
            yield tuple(VALUES.get(kind, text) for kind in TABLES[name].columns.values())

    monkeypatch.setattr(export, "rows", rows)
    with create_engine("sqlite://").connect() as db:
        assert {w.rows for w in export.export(db, tmp_path)} == {len(TEXTS)}
    return tmp_path


@pytest.mark.parametrize("name", TABLES)
def test_a_text_like_a_formula_has_a_mark_in_csv(folder: Path, name: str) -> None:
    with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        _, *found = csv.reader(file)
    marked = [f"'{text}" for text in TEXTS[:-1]] + TEXTS[-1:]
    shown = {"time": "2023-11-14 22:13:20.000+00:00", "number": "-1.5", "whole": "-2"}
    kinds = TABLES[name].columns.values()
    assert found == [[shown.get(kind, text) for kind in kinds] for text in marked]


@pytest.mark.parametrize("name", TABLES)
def test_parquet_holds_texts_as_they_were(folder: Path, name: str) -> None:
    columns = {n: kind for n, kind in TABLES[name].columns.items() if kind != "time"}
    with duckdb.connect() as db:
        query = f"SELECT {', '.join(columns)} FROM '{folder}/{name}.parquet'"
        found = db.execute(query).fetchall()
    expected = [tuple(VALUES.get(kind, text) for kind in columns.values()) for text in TEXTS]
    assert found == expected
