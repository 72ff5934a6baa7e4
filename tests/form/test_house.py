"""What a newcomer has to learn grows no more: raise a limit only with a reason in the commit."""

import pytest

from benchmarks.code_counts.house import house
from tests.paths import ROOT

LIMITS = {
    "houses and top folders": 11,
    "arrows between them": 32,
    "of them in a cycle": 0,
    "rooms of vtox/motor": 10,
    "arrows inside vtox/motor": 18,
    "rooms of vtox/motor in a cycle": 0,
    "rooms of vtox/pipeline": 10,
    "arrows inside vtox/pipeline": 32,
    "rooms of vtox/pipeline in a cycle": 0,
    "rooms of vtox/reporting": 6,
    "arrows inside vtox/reporting": 5,
    "rooms of vtox/reporting in a cycle": 0,
    "arrows inside the store": 13,
    "rooms of the store in a cycle": 0,
    "files at the top of vtox": 3,
    "files of the largest folder": 30,
    "public names of vtox": 1752,
    "public names of modules that another room uses": 1258,
    "class names with two meanings": 0,
    "encode, decode and table functions": 24,
    "settings": 70,
    "commands": 47,
    "words of all pages": 155_000,
    "words of pages that are not looked up": 53_000,
    "pages of more than 2,000 words": 15,
    "words a sentence, times 10": 180,
    "phrases to replace, pages": 50,
    "phrases to replace, code": 60,
}


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    """The counts of this checkout."""
    return dict(house(ROOT))


@pytest.mark.parametrize("name", LIMITS)
def test_a_count_stays_within_its_limit(name: str, counts: dict[str, int]) -> None:
    assert counts[name] <= LIMITS[name]
