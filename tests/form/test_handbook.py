"""The site: its pages are those of the repository, and links of the repository hold in it."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handbook.__main__ import foreign_requests
from handbook.reference import write_reference
from handbook.search import MORE_TERMS, terms, write_index
from handbook.sources import gather
from tests.paths import ROOT
from vtox.motor.words.catalogue import catalogue
from vtox.pipeline.configuration.settings import Settings, each, load, variable


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("handbook") / "pages"
    gather(folder)
    write_reference(folder / "reference")
    return folder


def pages_in_contents() -> set[str]:
    config = tomllib.loads((ROOT / "handbook/zensical.toml").read_text())
    return set(pages_below(config["project"]["nav"]))


def pages_below(part: Any) -> Iterator[str]:
    """Yield the pages of a part of the contents: a page, or a list, or a title with a list."""
    if isinstance(part, str):
        yield part
    else:
        for inner in part.values() if isinstance(part, dict) else part:
            yield from pages_below(inner)


def test_every_page_of_the_contents_is_there(pages: Path) -> None:
    assert [p for p in sorted(pages_in_contents()) if not (pages / p).is_file()] == []


def test_every_document_is_in_the_contents(pages: Path) -> None:
    kinds = (".", "tutorial", "howto", "reference", "explanation", "appendix", "faults")
    there = {str(p.relative_to(pages)) for kind in kinds for p in (pages / kind).glob("*.md")}
    assert sorted(there - pages_in_contents()) == []


def test_links_lead_to_files_of_the_site(pages: Path) -> None:
    broken = [
        f"{page.relative_to(pages)}: {target}"
        for page in pages.rglob("*.md")
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text())
        if not (page.parent / target).is_file()
    ]
    assert broken == []


def test_the_reference_has_each_setting_command_and_request(pages: Path) -> None:
    settings = (pages / "reference/settings.md").read_text()
    assert all(f"`{variable(*name)}`" in settings for name, _ in each(load()))
    assert all((f.json_schema_extra or {}).get("when") for f in Settings.model_fields.values())
    commands = (pages / "reference/commands.md").read_text()
    assert {"## vtox diagnose", "## vtox baseline learn"} <= set(commands.splitlines())
    assert (
        "| `GET /api/v1/machines/{machine_id}/spectrum` |"
        in (pages / "reference/http.md").read_text()
    )


def test_the_reference_has_each_code_and_metric(pages: Path) -> None:
    codes = (pages / "reference/codes.md").read_text()
    assert [c for c in catalogue("en").sentences if f"| `{c}` |" not in codes] == []
    metrics = (pages / "reference/metrics.md").read_text()
    drawn = re.findall(r"vtox_[a-z_]+", (ROOT / "deploy/grafana/vtox.json").read_text())
    names = {name.removesuffix("_bucket") for name in drawn}
    assert [name for name in sorted(names) if f"| `{name}` |" not in metrics] == []


def test_the_reference_has_each_module_and_what_it_is(pages: Path) -> None:
    page = (pages / "reference/modules.md").read_text()
    for package in ("vtox", "workers", "api"):
        for module in (ROOT / package).rglob("*.py"):
            place = module.parent.relative_to(ROOT)
            part = page.partition(f"\n## {place}\n")[2].partition("\n## ")[0].strip()
            assert part, f"no __init__.py in {place}"
            if module.name == "__init__.py":
                assert not part.startswith("|"), f"no docstring in {module}"
            else:
                row = rf"^\| `{re.escape(module.name)}` \| .+ \|$"
                assert re.search(row, part, re.MULTILINE), f"no docstring in {module}"


def test_chinese_terms_lead_to_english_words_of_the_pages(pages: Path) -> None:
    assert terms()["转差率"] == ["slip"]
    assert "broken bar" in terms()["转子断条"]
    text = " ".join(p.read_text().lower().replace("-", " ") for p in pages.rglob("*.md"))
    more = tomllib.loads(MORE_TERMS.read_text()).values()
    words = {word.replace("-", " ") for english in more for word in english}
    assert sorted(w for w in words if w not in text) == []


def test_a_page_that_asks_another_host_is_found(tmp_path: Path) -> None:
    (tmp_path / "good.html").write_text('<a href="https://a.example">a</a><script src="a.js">')
    assert foreign_requests(tmp_path) == []
    (tmp_path / "bad.html").write_text('<script defer src="https://a.example/b.js"></script>')
    (tmp_path / "bad.css").write_text("@font-face{src:url(//a.example/c.woff2)}")
    assert [f.partition(":")[0] for f in foreign_requests(tmp_path)] == ["bad.css", "bad.html"]


def test_the_search_leaves_out_evidence(tmp_path: Path) -> None:
    pages = ("howto/a/", "appendix/b/", "calibration/c/", "adr/appendix/")
    items = [{"location": f"{page}#part", "title": "Title", "text": "Text"} for page in pages]
    (tmp_path / "search").mkdir()
    (tmp_path / "search.json").write_text(json.dumps({"items": items}))
    write_index(tmp_path)
    index = (tmp_path / "search/data.js").read_text()
    assert [page for page in pages if page in index] == ["howto/a/", "adr/appendix/"]
