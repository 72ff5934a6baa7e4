"""Servers that do not answer, as an answer without what they have names them."""

from collections.abc import Iterable
from typing import Any

from api.all_checks import AWAY_CODE
from api.explanation import advice, sentence
from api.schemas.common import AwayServer
from api.server import Server
from api.servers import Answers


def away_servers(*answers: Answers[Any]) -> list[AwayServer]:
    """Return the servers that did not answer one of these questions."""
    found = dict(pair for a in answers for pair in _numbered(a.away))
    return [_shape(number, found[number]) for number in sorted(found)]


def _numbered(away: Iterable[tuple[Server, str]]) -> list[tuple[int, str]]:
    return [(server.number + 1, problem) for server, problem in away]


def _shape(number: int, problem: str) -> AwayServer:
    values = {"server": number, "problem": problem}
    return AwayServer(
        server=number,
        code=AWAY_CODE,
        values=values,
        reason=sentence(AWAY_CODE, values),
        what_to_do=advice(AWAY_CODE),
    )
