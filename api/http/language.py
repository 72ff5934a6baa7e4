"""The language of an answer: what the address asks for, else the reader's choice or preference.

Sentences are chosen deep within a route. What a request prefers is therefore kept in the context
of the request by `Gate`, which also says in the answer where a language was chosen.
"""

from contextvars import ContextVar
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import DEFAULT, Language, accepted_language, language

PARAMETER = "lang"
# The choice on the pages, made by the switch; it holds the name of a language and nothing else.
COOKIE = "vtox_language"
COOKIE_S = 365 * 86_400


@dataclass(slots=True)
class Addressee:
    """Whom an answer is for, and whether anything in it depends on that."""

    language: Language
    used: bool = False


READER: ContextVar[Addressee] = ContextVar("reader")


def answer_language() -> Language:
    """Return the language of the answer to the request at work, for its sentences."""
    reader = READER.get(None)
    if reader is None:
        return DEFAULT
    reader.used = True
    return reader.language


def page_language(request: Request) -> Language:
    """Return the language of a page: of the address, the switch, or the browser."""
    return request_language(request, request.cookies.get(COOKIE, ""))


def say_page_language(response: Response, name: Language) -> None:
    """Say to the client, and caches on the way, in which language a page is and by what."""
    say_language(response.headers, name)
    response.headers.add_vary_header("Cookie")


def asked_language(request: Request) -> Language | None:
    """Return the language that the address names, None where it names none of ours."""
    return language(request.query_params.get(PARAMETER, ""))


def request_language(request: Request, chosen: str = "") -> Language:
    """Return the language of the address, else the one chosen, else the one that is accepted."""
    for name in (request.query_params.get(PARAMETER), chosen):
        if name and (found := language(name)):
            return found
    return accepted_language(request.headers.get("accept-language", "")) or DEFAULT


def say_language(headers: MutableHeaders, name: Language) -> None:
    """Say to the client, and caches on the way, in which language an answer is."""
    headers["Content-Language"] = catalogue(name).tag
    headers.add_vary_header("Accept-Language")
