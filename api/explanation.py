"""What a reason code says in words, and what to do: of entries that any version has written."""

from collections.abc import Iterable, Mapping
from typing import Any

from api.schemas.diagnoses import Reason
from vtox import domain
from vtox.sentences.rendering import advice, render


def sentence(code: str, values: Mapping[str, Any]) -> str:
    """Return the sentence of a code; of values that this version does not expect, the code."""
    try:
        return render(code, values)
    except (LookupError, TypeError, ValueError):
        return code


def doubts_with_sentences(doubts: Iterable[domain.Reason]) -> list[Reason]:
    """Return the doubts of a diagnosis with words."""
    return [
        Reason(
            code=d.code,
            values=dict(d.values),
            sentence=sentence(d.code, d.values),
            what_to_do=advice(d.code),
        )
        for d in doubts
    ]
