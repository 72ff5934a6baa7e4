"""Every code has one sentence that renders, in one style, with advice."""

import ast
import re
from collections import Counter
from string import Formatter
from typing import Any

import pytest

from tests.paths import ROOT
from vtox.motor.values.domain import Reason, abstain, reason
from vtox.motor.words.catalogue import Sentence, catalogue
from vtox.motor.words.languages import LANGUAGES, Language
from vtox.motor.words.rendering import (
    advice,
    render,
    render_all,
)

SENTENCES = catalogue("en").sentences
CODES = sorted(SENTENCES)
# Sentences may begin with the symbol of a quantity.
SYMBOLS = ("|I2|", "|I0|", "I2", "I0", "I1", "V1", "V2", "BPFO", "BPFI", "BSF", "FTF")


def literals() -> Counter[str]:
    """The text constants of the sources."""
    sources = [p for d in ("vtox", "workers", "api") for p in (ROOT / d).rglob("*.py")]
    return Counter(
        node.value
        for path in sources
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def named_in_calls() -> set[str]:
    """The codes that `reason("...")` is called with in the sources."""
    return {
        node.args[0].value
        for path in (ROOT / "vtox").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "reason"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }


def sample_values(sentence: Sentence) -> dict[str, Any]:
    """A value of the right type for each field of a template."""
    return {
        name: "ia" if conversion == "w" else 7 if spec in ("", "d") else 1.5
        for _, name, spec, conversion in Formatter().parse(sentence.text)
        if name
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_alarm_does_not_tell_an_age_that_grows(language: Language) -> None:
    tables = [catalogue(language).topics[name] for name in ("alerts", "system")]
    texts = [s.text for table in tables for s in table.values()]
    assert [text for text in texts if re.search(r"\} s (ago|前)|reported for \{", text)] == []


def test_a_code_stands_in_one_table() -> None:
    assert [
        c
        for c, n in Counter(c for t in catalogue("en").topics.values() for c in t).items()
        if n > 1
    ] == []


@pytest.mark.parametrize("code", CODES)
def test_a_sentence_renders(code: str) -> None:
    text = render(code, sample_values(SENTENCES[code]))
    assert text
    assert "{" not in text


@pytest.mark.parametrize("name", LANGUAGES)
@pytest.mark.parametrize("code", CODES)
def test_a_level_of_nothing_has_no_minus(code: str, name: Language) -> None:
    values = sample_values(SENTENCES[code])
    levels = {n: -0.04 for n in ("modulation_db", "change_db") if n in values}
    assert not re.search(r"-0(?:\.0)? dB", render(code, values | levels, name))


@pytest.mark.parametrize("code", CODES)
def test_codes_and_values_are_in_snake_case(code: str) -> None:
    for name in (code, *sample_values(SENTENCES[code])):
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)


@pytest.mark.parametrize("code", CODES)
def test_a_sentence_can_be_joined_to_others(code: str) -> None:
    text = SENTENCES[code].text
    assert text[0].islower() or text.startswith(("{", *SYMBOLS))
    assert not text.endswith((".", ";", ","))


@pytest.mark.parametrize("code", [c for c in CODES if SENTENCES[c].advice])
def test_advice_is_a_sentence_of_its_own(code: str) -> None:
    text = SENTENCES[code].advice
    assert text[0].isupper()
    assert text.endswith(".")


def test_codes_in_the_sources_have_sentences() -> None:
    assert named_in_calls() - set(SENTENCES) == set()


def test_sentences_are_of_codes_in_the_sources() -> None:
    found = literals()
    assert [c for c in CODES if not found[c]] == []


@pytest.mark.parametrize("values", [{}, {"load_a": 3.0}, {"load_a": "three", "needed_a": 1.0}])
def test_missing_or_wrong_values_are_not_swallowed(values: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError)):
        render("load_too_low", values)
    with pytest.raises((KeyError, ValueError)):
        str(abstain("insulation", Reason("load_too_low", values)).reason)


def test_a_code_of_another_version_is_its_own_sentence() -> None:
    assert render("code_of_the_future", {"x": 1.0}) == "code_of_the_future"
    assert advice("code_of_the_future") == ""


def test_advice_names_the_sensors_that_are_missing_and_no_others() -> None:
    missing = {"channels": ("ib", "ic")}
    assert advice("missing_channel", missing) == "Fit a clamp for ib, a clamp for ic."
    assert advice("missing_channel", missing, "zh") == "请安装测量 ib 的电流钳、测量 ic 的电流钳。"
    assert advice("missing_channel") == "Fit a sensor for each missing channel."


def test_identifiers_become_words_and_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue("en").words, "ia", "current of phase a")
    assert "current of phase a, ib" in render("missing_channel", {"channels": ("ia", "ib")})
    assert render("missing_channel", {"channels": "ia"}).endswith("current of phase a")


def test_a_diagnosis_renders_its_reason_and_its_doubts() -> None:
    short = reason("record_too_short", duration_s=0.5, needed_s=1.0)
    d = abstain("turn_short", short, Reason("no_baseline"))
    assert (d.state, d.code, d.severity, d.confidence) == ("unknown", short.code, None, 0.0)
    assert d.values == {"duration_s": 0.5, "needed_s": 1.0}
    assert d.reason == f"{short.sentence}; {render('no_baseline', {})}"
    assert d.reason == render_all((r.code, r.values) for r in (short, *d.doubts))
