"""Every problem has a title in every language, and none is like another."""

import re

from api.errors import CODES
from api.problem_titles import DEAD_LETTERS, TITLES, dead_letter_reason
from tests.unit.words.latin import latin_words
from vtox.wire import WIRE_CODES
from vtox.words.languages import DEFAULT, NAMES

FORMATS = {"JSON", "Host", "API", "Redis", "Valkey", "NaN", "dtype", "json", "base64", "VTOX"}


def test_every_problem_has_a_title_in_every_language() -> None:
    assert {DEFAULT, *TITLES} == set(NAMES)
    assert all(titles.keys() == CODES.keys() for titles in TITLES.values())


def test_dead_letters_have_words_for_every_code() -> None:
    own = {"poison", "samples_missing", "unknown_version", "quota_exceeded", "too_many_machines"}
    for words in DEAD_LETTERS.values():
        assert WIRE_CODES.keys() | own <= words.keys()
    assert dead_letter_reason("poison", "as written", "en") == "as written"
    assert dead_letter_reason("code_of_the_future", "as written", "zh") == "as written"


def test_no_two_titles_read_alike() -> None:
    for titles in (CODES, *TITLES.values(), *DEAD_LETTERS.values()):
        assert len(set(titles.values())) == len(titles)


def test_chinese_titles_hold_no_english() -> None:
    left = {
        c: latin_words(re.sub(r"\b[if]\d\b", "", t)) - FORMATS
        for c, t in DEAD_LETTERS["zh"].items()
    }
    assert {code: words for code, words in left.items() if words} == {}
