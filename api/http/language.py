"""The language of an answer: what the address asks for, else the reader's choice or preference.

Sentences are chosen deep within a route. What a request prefers is therefore kept in the context
of the request by `AnswerLanguage`, which also says in the answer where a language was chosen.
"""

from contextvars import ContextVar
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vtox.words.catalogue import catalogue
from vtox.words.languages import DEFAULT, Language, accepted_language, language

PARAMETER = "lang"
# The choice on the pages, made by the switch; it holds the name of a language and nothing else.
COOKIE = "vtox_language"
COOKIE_S = 365 * 86_400


@dataclass(slots=True)
class _Reader:
    """Whom an answer is for, and whether anything in it depends on that."""

    language: Language
    used: bool = False


_reader: ContextVar[_Reader] = ContextVar("reader")


def answer_language() -> Language:
    """Return the language of the answer to the request at work, for its sentences."""
    reader = _reader.get(None)
    if reader is None:
        return DEFAULT
    reader.used = True
    return reader.language


class AnswerLanguage:
    """ASGI middleware: keeps what a request prefers, and says what was chosen."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back with its language."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        reader = _Reader(asked_language(request) or _preferred(request))
        token = _reader.set(reader)

        async def send_with_language(message: Message) -> None:
            if message["type"] == "http.response.start" and reader.used:
                _say(MutableHeaders(scope=message), reader.language)
            await send(message)

        try:
            await self.app(scope, receive, send_with_language)
        finally:
            _reader.reset(token)


def page_language(request: Request) -> Language:
    """Return the language of a page: of the address, the switch, or the browser."""
    return (
        asked_language(request) or language(request.cookies.get(COOKIE, "")) or _preferred(request)
    )


def say_page_language(response: Response, name: Language) -> None:
    """Tell the client, and caches on the way, in which language a page is and by what."""
    _say(response.headers, name)
    response.headers.add_vary_header("Cookie")


def asked_language(request: Request) -> Language | None:
    """Return the language that the address names, None where it names none of ours."""
    return language(request.query_params.get(PARAMETER, ""))


def _preferred(request: Request) -> Language:
    return accepted_language(request.headers.get("accept-language", "")) or DEFAULT


def _say(headers: MutableHeaders, name: Language) -> None:
    headers["Content-Language"] = catalogue(name).tag
    headers.add_vary_header("Accept-Language")
