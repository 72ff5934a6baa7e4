"""The language of an answer: what the address asks for, else the reader's choice or preference."""

from starlette.requests import Request
from starlette.responses import Response

from vtox.sentences.languages import DEFAULT, TAGS, Language, accepted_language, language

PARAMETER = "lang"
# The choice on the pages, made by the switch; it holds the name of a language and nothing else.
COOKIE = "vtox_language"
COOKIE_S = 365 * 86_400


def page_language(request: Request) -> Language:
    """Return the language of a page: of the address, the switch, or the browser."""
    return (
        asked_language(request) or language(request.cookies.get(COOKIE, "")) or _preferred(request)
    )


def answer_language(request: Request) -> Language:
    """Return the language of an answer for programs: of the address or of the header."""
    return asked_language(request) or _preferred(request)


def asked_language(request: Request) -> Language | None:
    """Return the language that the address names, None where it names none of ours."""
    return language(request.query_params.get(PARAMETER, ""))


def say_language(response: Response, name: Language, *varies: str) -> None:
    """Tell the client, and caches on the way, in which language an answer is and by what."""
    response.headers["Content-Language"] = TAGS[name]
    for header in ("Accept-Language", *varies):
        response.headers.add_vary_header(header)


def _preferred(request: Request) -> Language:
    return accepted_language(request.headers.get("accept-language", "")) or DEFAULT
