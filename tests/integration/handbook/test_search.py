"""The search of the site, in a real browser, on a page that is opened as a file."""

import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from handbook.search import write_index, write_script
from tests.integration.api.browser import document_of, needs_browser

SECTIONS = [
    ("howto/upgrade-and-go-back.html", "Upgrade, and go back", "Stop, install, start."),
    ("faults/broken_bar.html", "Broken bar", "<p>Lines at twice the slip frequency.</p>"),
    ("faults/bearing.html", "Bearing", "An outer race makes a comb."),
    ("appendix/trials.html", "Trials", "Bearing, broken bar, upgrade: tried."),
    ("calibration/bearing.html#chunks", "Chunks", "Length of a chunk."),
]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A site of these sections, and the page of one of them."""
    site = tmp_path / "site"
    write_script(site)
    sections = [dict(zip(("location", "title", "text"), s, strict=True)) for s in SECTIONS]
    (site / "search.json").write_text(json.dumps({"items": sections}))
    write_index(site)
    page = site / "howto" / "page.html"
    page.parent.mkdir()
    page.write_text(
        '<!doctype html><meta charset="utf-8"><body><script src="../search/search.js"></script>'
    )
    return page


@needs_browser
@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("upgrade", "howto/upgrade-and-go-back.html"),
        ("bearings", "faults/bearing.html"),
        ("断条", "faults/broken_bar.html"),
        ("轴承", "faults/bearing.html"),
        ("升级", "howto/upgrade-and-go-back.html"),
    ],
)
def test_a_page_is_found_by_words_of_either_language(page: Path, query: str, first: str) -> None:
    document = document_of(f"{page.as_uri()}?q={quote(query)}")
    links = re.findall(r'<li><a href="([^"]*)"', document)
    assert links
    assert links[0].endswith(f"/site/{first}")


def test_pages_of_evidence_are_not_in_the_index(page: Path) -> None:
    script = (page.parents[1] / "search" / "data.js").read_text()
    index = json.loads(script.partition("= ")[2].rstrip().rstrip(";"))
    assert [place for place, *_ in index["items"]] == [place for place, *_ in SECTIONS[:3]]


@needs_browser
def test_words_that_no_page_has_find_nothing(page: Path) -> None:
    document = document_of(f"{page.as_uri()}?q=submarine")
    assert "0 results" in document
