"""Plain English, counted: words, sentences, phrases to replace, `what`, inverted sentences.

A sentence is inverted if it begins with Of, What, Where or Whose and is no question. Subject and
verb come first in plain English. `what` often hides the name of a thing.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.code_counts.syntax import docstrings

# Pages that are looked up, not read from end to end.
LOOKED_UP = frozenset(("reference", "appendix", "adr", "calibration"))
# Phrases for which plain technical English has a shorter or clearer word.
_PHRASES = re.compile(
    r"\b(beside|anew|nobody|no one|judged?|told|tells?|stands?|of (its|his|her|their|your|our) own|"
    r"as far as|whoever|whatever is|mend(ed|s)?|by hand|let us|lets? (others|it|them)|heals?|"
    r"holds? (back|up)|what it (is|was|has|had|wants|wanted)|that which|those that|those who)\b",
    re.IGNORECASE,
)
_INVERTED = re.compile(r"[*_]*(Of|What|Where|Whose)\b(?!.*\?)")
_WHAT = re.compile(r"\bwhat\b", re.IGNORECASE)
_CODE = re.compile(r"`[^`]*`")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*|\d[\d.,]*")
_SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+(?=[A-Z0-9`*\[(])")
_COMMENTS = re.compile(r"(?:^[ \t]*# .*\n)+", re.MULTILINE)


def pages_of(root: Path) -> dict[Path, str]:
    """Return the pages of a checkout with their text."""
    pages = [*root.glob("*.md"), *(root / "docs").rglob("*.md")]
    return {p: p.read_text() for p in pages if p.name != "CHANGELOG.md"}


def count_pages(pages: dict[Path, str]) -> Iterator[tuple[str, int]]:
    """Yield the name and value of each count of pages."""
    words = {p: _words(without_code(text)) for p, text in pages.items()}
    yield "words of all pages", sum(words.values())
    read = [p for p in pages if not LOOKED_UP & set(p.parts)]
    yield "words of pages that are not looked up", sum(words[p] for p in read)
    yield "pages of more than 2,000 words", sum(n > 2000 for n in words.values())
    parts = [part for text in pages.values() for part in prose(text)]
    sentences = [s for part in parts for s in _SENTENCE_END.split(part)]
    yield "words a sentence, times 10", round(10 * _words(" ".join(parts)) / max(len(sentences), 1))
    yield "phrases to replace, pages", phrases(pages.values())
    yield from count_parts("pages", [part for p in read for part in prose(pages[p])])


def count_parts(place: str, parts: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield how often paragraphs say `what`, and how many sentences they invert."""
    plain = [_CODE.sub("x", part) for part in parts]
    text = " ".join(plain)
    yield (
        f"what in 10,000 words, {place}",
        round(10_000 * len(_WHAT.findall(text)) / (_words(text) or 1)),
    )
    sentences = (s for part in plain for s in _SENTENCE_END.split(part))
    yield f"inverted sentences, {place}", sum(bool(_INVERTED.match(s)) for s in sentences)


def prose(text: str) -> list[str]:
    """Return the paragraphs and list items of a page, without code, tables, headings and links."""
    lines = [
        line
        for line in without_code(text).splitlines()
        if not re.match(r"\s*(\||#|<|\[\w+\]:)", line)
    ]
    parts = re.split(r"\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.)\s)", "\n".join(lines))
    bare = (re.sub(r"^\s*(?:[-*+]|\d+\.)\s", "", part) for part in parts)
    return [" ".join(part.split()) for part in bare if part.strip()]


def without_code(text: str) -> str:
    """Return a page without blocks of code and addresses of links, as a reader meets its words."""
    text = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"\]\([^)]*\)", "]", text)


def phrases(texts: Iterable[str]) -> int:
    """Return how many phrases to replace there are."""
    return sum(len(_PHRASES.findall(_CODE.sub("", " ".join(t.split())))) for t in texts)


def said(text: str, tree: ast.Module) -> Iterator[str]:
    """Yield the paragraphs of docstrings, and the comments, of a Python file."""
    for node in docstrings(tree):
        yield from (" ".join(p.split()) for p in re.split(r"\n\s*\n", str(node.value)))
    for found in _COMMENTS.findall(f"{text}\n"):
        yield " ".join(line.strip().removeprefix("# ") for line in found.splitlines())


def _words(text: str) -> int:
    return len(_WORD.findall(text))
