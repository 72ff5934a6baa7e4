"""The language of an answer: named by the address, else the reader's choice or preference.

Sentences are chosen deep within a route. `Gate` therefore keeps the preference of a request in the
context of the request. It also names the language in an answer that chose one.
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
    """The reader of an answer, and whether anything in it depends on the reader."""

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


def set_page_language(response: Response, name: Language) -> None:
    """Name the language of a page, and the cookie that may choose it, to client and caches."""
    set_language(response.headers, name)
    response.headers.add_vary_header("Cookie")


def asked_language(request: Request) -> Language | None:
    """Return the language that the address names, None if it names none of ours."""
    return language(request.query_params.get(PARAMETER, ""))


def request_language(request: Request, chosen: str = "") -> Language:
    """Return the language of the address, else the one chosen, else the one that is accepted."""
    for name in (request.query_params.get(PARAMETER), chosen):
        if name and (found := language(name)):
            return found
    return accepted_language(request.headers.get("accept-language", "")) or DEFAULT


def set_language(headers: MutableHeaders, name: Language) -> None:
    """Say to the client, and caches on the way, in which language an answer is."""
    headers["Content-Language"] = catalogue(name).tag
    headers.add_vary_header("Accept-Language")
