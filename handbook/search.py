"""The search of the site: the index of the built pages, and English words for Chinese ones.

A page that is opened as a file may load a script but fetch nothing, so the index is a script.
"""

import html
import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

from handbook.sources import DOCS
from vtox.motor.words.catalogue import catalogue

SCRIPT = Path(__file__).with_name("search.js")
# Folders of evidence: their many figures would hide the pages that answer a question.
EVIDENCE = ("appendix/", "calibration/")
MORE_TERMS = Path(__file__).with_name("search_terms.toml")
_TERM = re.compile(r"^\| ([^|]+) \|.*\| ([^|]*[\u4e00-\u9fff][^|]*) \|$", re.MULTILINE)
_TAG = re.compile(r"<[^>]+>")


def write_script(pages: Path) -> None:
    """Copy the script into the sources of the site."""
    (pages / "search").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(SCRIPT, pages / "search" / SCRIPT.name)


def write_index(site: Path) -> None:
    """Write the index of a built site as a script next to the one that searches."""
    sections = json.loads((site / "search.json").read_text())["items"]
    found = (x for x in sections if not x["location"].startswith(EVIDENCE))
    items = [[x["location"], _plain(x["title"]), _plain(x["text"])] for x in found]
    index = json.dumps({"items": items, "terms": terms()})
    (site / "search" / "data.js").write_text(f"window.handbookSearch = {index};\n")


def terms() -> dict[str, list[str]]:
    """Return the English words of Chinese terms: of the glossary, of names, and some more."""
    found: dict[str, list[str]] = {}
    for english, chinese in [*_glossary(), *_names(), *_more()]:
        words = found.setdefault(chinese.lower(), [])
        if english.lower() not in words:
            words.append(english.lower())
    return found


def _glossary() -> Iterator[tuple[str, str]]:
    page = (DOCS / "reference" / "glossary.md").read_text()
    for term, translated in _TERM.findall(page):
        english = [x.strip() for x in term.replace("`", "").split(",")]
        chinese = [x.strip() for x in re.sub(r"（.*?）", "", translated).split("、")]
        if len(english) == len(chinese):
            yield from zip(english, chinese, strict=True)
        else:
            yield from ((e, c) for e in english for c in chinese)


def _names() -> Iterator[tuple[str, str]]:
    english, chinese = catalogue("en").names, catalogue("zh").names
    for kind, names in english.items():
        yield from ((name, chinese[kind][key]) for key, name in names.items())


def _more() -> Iterator[tuple[str, str]]:
    for chinese, english in tomllib.loads(MORE_TERMS.read_text()).items():
        yield from ((word, chinese) for word in english)


def _plain(text: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())
