"""The page of the evaluation."""

from pathlib import Path

from evaluation.outcome import Study, Table
from evaluation.report import write


def test_details_are_not_on_the_page(tmp_path: Path) -> None:
    tables = (Table("In short", ("a",), (("1",),)), Table("Each", ("b",), (("2",),), detail=True))
    write([Study("Shorts", "Text.", tables)], {}, [], tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    assert "### In short" in page
    assert "### Each" not in page
