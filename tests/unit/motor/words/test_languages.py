"""Every language says everything: the same codes with the same values, none like another."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from tests.unit.motor.words.latin import latin_words
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import DEFAULT, LANGUAGES, Language
from vtox.motor.words.rendering import advice, fill, render, render_all

OTHERS = [name for name in LANGUAGES if name != DEFAULT]
ENGLISH = catalogue(DEFAULT)


# `{x}`, `{x:.1f}`, `{x!w}`, `{x!part}`, `{x!k}`, `{x|one|several}`.
PLACE = re.compile(r"\{(\w+)(?:!(?:w|part|k)|:([^{}|]+)|\|[^{}|]*\|[^{}|]*)?\}")


def texts(language: Language) -> dict[str, str]:
    """All texts of a language by the path of their keys."""

    def flat(table: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
        for key, value in table.items():
            if isinstance(value, dict):
                yield from flat(value, f"{path}{key}/")
            else:
                yield f"{path}{key}", value

    return dict(flat(asdict(catalogue(language)), ""))


@pytest.mark.parametrize("other", OTHERS)
def test_every_language_has_every_text_with_its_values(other: Language) -> None:
    theirs = texts(other)
    found = {key: set(PLACE.findall(text)) for key, text in texts(DEFAULT).items()}
    # Words of identifiers that are English already.
    assert {k for k in found.keys() ^ theirs.keys() if not k.startswith("words/")} == set()
    assert {k for k in found if set(PLACE.findall(theirs[k])) != found[k]} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_places_for_values_are_written_in_one_way(language: Language) -> None:
    found = texts(language)
    assert [key for key, text in found.items() if re.search(r"[{}]", PLACE.sub("", text))] == []
    # Scripts write numbers themselves.
    pages = {key: text for key, text in found.items() if key.startswith("pages/")}
    assert [key for key, text in pages.items() if re.search(r"\{\w+[:!]", text)] == []


@pytest.mark.parametrize("other", OTHERS)
def test_where_there_is_something_to_do_every_language_says_it(other: Language) -> None:
    for code, sentence in ENGLISH.sentences.items():
        assert bool(advice(code, {}, other)) == bool(sentence.advice), code
        assert re.findall(r"`[^`]*`", sentence.advice) == re.findall(
            r"`[^`]*`", advice(code, {}, other)
        ), f"{code}: other commands"


@pytest.mark.parametrize("name", LANGUAGES)
def test_no_two_codes_read_alike(name: Language) -> None:
    codes = defaultdict(list)
    for code, sentence in catalogue(name).sentences.items():
        codes[re.sub(r"\{[^}]*\}|\W", "", sentence.text).lower()].append(code)
    assert [alike for alike in codes.values() if len(alike) > 1] == []


@pytest.mark.parametrize("name", LANGUAGES)
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
    assert render_all(reasons, "zh") == "没有基线；缺少通道：a 相电压 va、b 相电压 vb"
    assert render("code_of_the_future", {}, "zh") == "code_of_the_future"


@pytest.mark.parametrize(("n", "said"), [(1, "1 record"), (1.0, "1.0 record"), (0, "0 records")])
def test_a_text_counts_one_and_several(n: float, said: str) -> None:
    assert fill("{n} {n|record|records}", {"n": n}) == said
    with pytest.raises(KeyError):
        fill("{n|record|records}", {})
