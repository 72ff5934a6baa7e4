"""Every problem has a title in every language, and none is like another."""

import re

import pytest

from api.http.errors import CODES, STATUS_OF_CODE
from api.routes.dead_letters import _reason
from tests.unit.motor.words.latin import latin_words
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import DEFAULT, LANGUAGES, Language
from vtox.pipeline.windows.json_windows import JSON_CODES
from vtox.pipeline.windows.wire import FS_MAX_HZ, FS_MIN_HZ, WIRE_CODES

FORMATS = {"JSON", "Host", "API", "Redis", "Valkey", "NaN", "dtype", "json", "base64", "VTOX"}
OF_LETTERS = {"poison", "samples_missing", "unknown_version", "quota_exceeded", "window_copied"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_problems_and_dead_letters_have_words(language: Language) -> None:
    known = catalogue(language)
    assert known.problems.keys() == CODES.keys()
    assert known.dead_letters.keys() == OF_LETTERS
    words = [*known.problems.values(), *known.dead_letters.values()]
    assert len(set(words)) == len(words)
    assert f"{FS_MIN_HZ:.0f}..{FS_MAX_HZ:.0f} Hz" in known.problems["bad_rate"]


def test_codes_of_windows_and_of_statuses_have_titles() -> None:
    assert WIRE_CODES | JSON_CODES | STATUS_OF_CODE.keys() <= CODES.keys()


def test_a_dead_letter_is_said_in_the_language_of_the_reader() -> None:
    assert _reason("poison", "as written", DEFAULT) == "as written"
    assert _reason("poison", "as written", "zh") == catalogue("zh").dead_letters["poison"]
    assert _reason("bad_rate", "as written", "zh") == catalogue("zh").problems["bad_rate"]
    assert _reason("code_of_the_future", "as written", "zh") == "as written"


def test_chinese_titles_hold_no_english() -> None:
    known = catalogue("zh")
    titles = {**known.problems, **known.dead_letters}
    left = {c: latin_words(re.sub(r"\b[if]\d\b", "", t)) - FORMATS for c, t in titles.items()}
    assert {code: words for code, words in left.items() if words} == {}
