"""Every problem has a title in every language, and none is like another."""

import re

from api.errors import CODES
from api.problem_titles import TITLES
from tests.unit.sentences.latin import latin_words
from vtox.sentences.languages import DEFAULT, NAMES

FORMATS = {"JSON", "Host", "API", "Redis", "Valkey", "NaN", "dtype", "json", "base64"}


def test_every_problem_has_a_title_in_every_language() -> None:
    assert {DEFAULT, *TITLES} == set(NAMES)
    assert all(titles.keys() == CODES.keys() for titles in TITLES.values())


def test_no_two_titles_read_alike() -> None:
    for titles in (CODES, *TITLES.values()):
        assert len(set(titles.values())) == len(titles)


def test_chinese_titles_hold_no_english() -> None:
    left = {c: latin_words(re.sub(r"\b[if]\d\b", "", t)) - FORMATS for c, t in TITLES["zh"].items()}
    assert {code: words for code, words in left.items() if words} == {}
