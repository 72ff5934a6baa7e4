"""The languages for people: a folder each, and which of them a reader prefers."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

# A folder for each language, with the primary part of its tag as name.
FOLDER = Path(__file__).parent
DEFAULT = "en"
LANGUAGES = tuple(
    sorted((f.parent.name for f in FOLDER.glob("*/language.toml")), key=lambda x: (x != DEFAULT, x))
)
Language: TypeAlias = Literal[LANGUAGES]  # type: ignore[valid-type]


def language(tag: str) -> Language | None:
    """Return the language of a tag such as `zh-CN`, None if VTOX does not speak it."""
    primary = tag.strip().partition("-")[0].lower()
    return primary if primary in LANGUAGES else None


@lru_cache(maxsize=256)  # each request of the API asks, most with the same header
def accepted_language(header: str) -> Language | None:
    """Return the language that an `Accept-Language` header prefers, None if it names none."""
    wanted = [(quality, language(tag)) for tag, quality in _weighted(header.split(","))]
    known = [(quality, name) for quality, name in wanted if name and quality > 0]
    return max(known, key=lambda pair: pair[0])[1] if known else None


def _weighted(ranges: Iterable[str]) -> Iterable[tuple[str, float]]:
    """Yield the ranges of a header with their quality; 0 for one that cannot be read."""
    for text in ranges:
        tag, _, rest = text.partition(";")
        name, _, value = rest.partition("=")
        try:
            yield tag, float(value) if name.strip() == "q" else 1.0
        except ValueError:
            yield tag, 0.0
