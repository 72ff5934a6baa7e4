"""The diagnoses of a record in words: state, reason, counter-evidence, action, symptoms."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vtox.motor.values.plain_data import digits
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.rendering import advice, join, render
from vtox.reporting.reports.elements import indicator_name, minus, sentence_case
from vtox.reporting.reports.texts import language_of

RANK = ("fault", "warning", "normal", "unknown")


def actions(v: Mapping[str, Any], text: Mapping[str, str]) -> list[str]:
    """Return the advice of a diagnosis and of its doubts, each once."""
    language = language_of(text)
    own = advice(v["code"], v["values"], language, level=str(v["state"]))
    advised = (own, *(advice(d["code"], d["values"], language) for d in v["doubts"]))
    return list(dict.fromkeys(filter(None, advised)))


def fault_name(fault: str, text: Mapping[str, str]) -> str:
    """Return the name of a fault for people; of a limit, with its scalar."""
    head, _, of = fault.partition(":")
    name = text.get(f"fault_{head}")
    return fault if name is None else f"{name} ({of.replace('_', ' ')})" if of else name


def worst_first(verdicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return verdicts, faults first."""
    return sorted(verdicts, key=lambda v: RANK.index(v["state"]) if v["state"] in RANK else 9)


def sentence(v: Mapping[str, Any], text: Mapping[str, str]) -> str:
    """Return the sentence of a code with its values; the code itself if there is none."""
    try:
        return render(v["code"], v["values"], language_of(text))
    except (KeyError, ValueError, TypeError):  # of another version
        return str(v["code"])


def sentences(said: Iterable[Mapping[str, Any]], text: Mapping[str, str]) -> str:
    """Return the sentences of several codes as one line."""
    return join((sentence(v, text) for v in said), language_of(text))


def words(identifier: str, text: Mapping[str, str]) -> str:
    """Return the words of an identifier in a value, such as the source of a slip."""
    return catalogue(language_of(text)).words.get(identifier, identifier)


def statistic_name(fault: str, text: Mapping[str, str]) -> str:
    """Return the name of the number that a diagnosis of a fault compared."""
    of_any = words("statistic", text)  # of a fault of another version, too
    return sentence_case(text.get(f"statistic_{fault}", of_any))


def numbers(v: Mapping[str, Any], text: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield names and values of the comparison of a diagnosis."""
    for name in ("statistic", "threshold", "severity", "confidence"):
        if v[name] is not None and (v["statistic"] is not None or name == "severity"):
            named = statistic_name(v["fault"], text) if name == "statistic" else text[name]
            yield named, minus(digits(v[name]))


def symptoms(indicators: Mapping[str, Any], text: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield names and values of the indicators that were measured."""
    measured = {n: x for n, x in indicators.items() if x is not None}
    stems = [indicator_name(n, text)[0] for n in measured]
    for name, value in measured.items():
        stem, unit = indicator_name(name, text)
        # The unit alone does not distinguish rotor_dbc and rotor_hz.
        name_words = name.replace("_", " ") if stems.count(stem) > 1 else stem
        shown = words(value, text) if isinstance(value, str) else minus(digits(value))
        yield name_words, f"{shown} {unit}".strip()
