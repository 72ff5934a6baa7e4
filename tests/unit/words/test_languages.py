"""Every language says everything: the same codes with the same values, none like another."""

import re
from collections import defaultdict
from string import Formatter

import pytest

from tests.unit.words.latin import latin_words
from vtox.words.catalogue import catalogue
from vtox.words.languages import DEFAULT, NAMES, Language
from vtox.words.rendering import advice, render, render_all

OTHERS = [name for name in NAMES if name != DEFAULT]
ENGLISH = catalogue(DEFAULT)


def fields(text: str) -> set[tuple[str, str]]:
    """The values of a template and how each is written; words may be put in for identifiers."""
    return {(name, spec or "") for _, name, spec, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("table", ENGLISH.topics)
def test_every_language_has_every_code(other: Language, table: str) -> None:
    assert catalogue(other).topics.keys() == ENGLISH.topics.keys()
    assert catalogue(other).topics[table].keys() == ENGLISH.topics[table].keys()


@pytest.mark.parametrize("other", OTHERS)
def test_sentences_have_the_same_values_written_alike(other: Language) -> None:
    theirs = catalogue(other).sentences
    differing = {
        code: fields(sentence.text) ^ fields(theirs[code].text)
        for code, sentence in ENGLISH.sentences.items()
        if fields(sentence.text) != fields(theirs[code].text)
    }
    assert differing == {}


@pytest.mark.parametrize("other", OTHERS)
def test_where_there_is_something_to_do_every_language_says_it(other: Language) -> None:
    for code, sentence in ENGLISH.sentences.items():
        assert bool(advice(code, other)) == bool(sentence.advice), code
        assert re.findall(r"`[^`]*`", sentence.advice) == re.findall(
            r"`[^`]*`", advice(code, other)
        ), f"{code}: other commands"


@pytest.mark.parametrize("other", OTHERS)
def test_identifiers_of_the_english_words_have_theirs(other: Language) -> None:
    assert ENGLISH.words.keys() - catalogue(other).words.keys() == set()


@pytest.mark.parametrize("name", NAMES)
def test_no_two_codes_read_alike(name: Language) -> None:
    codes = defaultdict(list)
    for code, sentence in catalogue(name).sentences.items():
        codes[re.sub(r"\{[^}]*\}|\W", "", sentence.text).lower()].append(code)
    assert [alike for alike in codes.values() if len(alike) > 1] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_two_words_read_alike_but_for_one_thing(name: Language) -> None:
    # A sensor is one source of a slip and of a speed.
    meanings = defaultdict(set)
    for identifier, word in catalogue(name).words.items():
        meanings[word].add(identifier.replace("_", " "))
    assert [alike for alike in meanings.values() if len(alike) > 1] == []


@pytest.mark.parametrize("code", ENGLISH.sentences)
def test_chinese_has_no_english_words(code: str) -> None:
    sentence = catalogue("zh").sentences[code]
    text = re.sub(r"\{[^}]*\}|`[^`]*`", " ", f"{sentence.text} {sentence.advice}")
    assert latin_words(text) == set()


@pytest.mark.parametrize("code", ENGLISH.sentences)
def test_chinese_is_punctuated_as_chinese(code: str) -> None:
    sentence = catalogue("zh").sentences[code]
    text = re.sub(r"\{[^}]*\}|`[^`]*`", "x", sentence.text)
    assert not re.search(r"[,;:()?]", text), "full-width"
    assert not text.endswith(("。", "；", "，", "："))
    assert sentence.advice == "" or sentence.advice.endswith("。")
    assert not re.search(r"[\u4e00-\u9fff][ ][\u4e00-\u9fff]", text + sentence.advice)


def test_several_reasons_are_joined_as_the_language_does() -> None:
    reasons = [("no_baseline", {}), ("missing_channel", {"channels": ("va", "vb")})]
    assert render_all(reasons, "zh") == "没有基线；缺少通道：va、vb"
    assert render("code_of_the_future", {}, "zh") == "code_of_the_future"
