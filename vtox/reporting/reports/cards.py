"""The diagnoses of a record in words: state, why, what speaks against it, action, symptoms."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from vtox.motor.values.plain_data import digits
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.rendering import advice, join, render
from vtox.reporting.reports.elements import (
    facts,
    indicator_name,
    marked,
    minus,
    pill,
    sentence_case,
)
from vtox.reporting.reports.texts import language_of

RANK = ("fault", "warning", "normal", "unknown")


def verdict_card(v: Mapping[str, Any], text: Mapping[str, str]) -> str:
    """Return one diagnosis."""
    fault = str(v["fault"])
    state = str(v["state"])
    parts = [
        f"<header><h3>{escape(fault_name(fault, text))}</h3>{state_pill(state, text)}</header>",
        f'<p class="why">{escape(_full(v, text))}</p>',
    ]
    if v["doubts"]:
        items = "".join(f"<li>{escape(_full(d, text))}</li>" for d in v["doubts"])
        parts.append(f"<h4>{escape(text['against'])}</h4><ul>{items}</ul>")
    language = language_of(text)
    own = advice(v["code"], v["values"], language, level=state)
    advised = (own, *(advice(d["code"], d["values"], language) for d in v["doubts"]))
    actions = list(dict.fromkeys(filter(None, advised)))
    if actions:
        rows = "".join(f"<p>{marked(sentence_case(a))}</p>" for a in actions)
        parts.append(f'<div class="action"><h4>{escape(text["action"])}</h4>{rows}</div>')
    parts.append(facts(_numbers(v, text), "numbers"))
    if symptoms := list(_symptoms(v["indicators"], text)):
        parts.append(f"<h4>{escape(text['symptoms'])}</h4>{facts(symptoms, 'values')}")
    parts.append(
        f'<p class="small soft">{escape(text["code"])} <code>{escape(v["code"])}</code></p>'
    )
    return f'<section class="card {escape(state)}">{"".join(parts)}</section>'


def state_pill(state: str, text: Mapping[str, str]) -> str:
    """Return a state with its word."""
    return pill(state, text.get(f"state_{state}", state))


def fault_name(fault: str, text: Mapping[str, str]) -> str:
    """Return the name of a fault for people; of a limit, with its scalar."""
    head, _, of = fault.partition(":")
    name = text.get(f"fault_{head}")
    return fault if name is None else f"{name} ({of.replace('_', ' ')})" if of else name


def worst_first(verdicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return verdicts, faults first."""
    return sorted(verdicts, key=lambda v: RANK.index(v["state"]) if v["state"] in RANK else 9)


def sentence(v: Mapping[str, Any], text: Mapping[str, str]) -> str:
    """Return the sentence of a code with its values; the code itself where there is none."""
    try:
        return render(v["code"], v["values"], language_of(text))
    except (KeyError, ValueError, TypeError):  # of another version
        return str(v["code"])


def sentences(v: Mapping[str, Any], text: Mapping[str, str]) -> str:
    """Return the sentences of a code and of what is said with it as one line."""
    return join((sentence(x, text) for x in (v, *v["doubts"])), language_of(text))


def words(identifier: str, text: Mapping[str, str]) -> str:
    """Return the words of an identifier in a value, such as the source of a slip."""
    return catalogue(language_of(text)).words.get(identifier, identifier)


def statistic_name(fault: str, text: Mapping[str, str]) -> str:
    """Return the name of the number that a diagnosis of a fault compared."""
    return sentence_case(text[f"statistic_{fault}"])


def _full(v: Mapping[str, Any], text: Mapping[str, str]) -> str:
    return f"{sentence_case(sentence(v, text))}{text['stop']}"


def _numbers(v: Mapping[str, Any], text: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in ("statistic", "threshold", "severity", "confidence"):
        if v[name] is not None and (v["statistic"] is not None or name == "severity"):
            named = statistic_name(v["fault"], text) if name == "statistic" else text[name]
            yield named, minus(digits(v[name]))


def _symptoms(indicators: Mapping[str, Any], text: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    measured = {n: x for n, x in indicators.items() if x is not None}
    stems = [indicator_name(n, text)[0] for n in measured]
    for name, value in measured.items():
        stem, unit = indicator_name(name, text)
        # Of rotor_dbc and rotor_hz the unit alone does not show which is which.
        name_words = name.replace("_", " ") if stems.count(stem) > 1 else stem
        shown = words(value, text) if isinstance(value, str) else minus(digits(value))
        yield name_words, f"{shown} {unit}".strip()
