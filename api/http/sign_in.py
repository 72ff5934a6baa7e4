"""The page that asks for an API key, served at the address that a browser wanted to open."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Literal

from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.http.language import COOKIE, COOKIE_S, asked_language, page_language, say_page_language
from api.http.page_texts import page_in_language, page_texts

PAGE = Path(__file__).parent.parent / "static" / "signin.html"
Why = Literal["asks", "key_unknown", "key_waits", "key_may_not_read"]


def sign_in_page(
    request: Request,
    status: int,
    *,
    wanted: str,
    why: Why = "asks",
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Return the page; after signing in, the browser goes on to the path `wanted`."""
    language = page_language(request)
    text = page_in_language(PAGE.read_text("utf-8"), language)
    tone = "" if why == "asks" else "wrong"
    reason = page_texts(language)[f"signin.{why}"]
    for name, value in (("why", reason), ("tone", tone), ("wanted", local_path(wanted))):
        text = text.replace(f"{{{{ {name} }}}}", escape(value))
    answer = HTMLResponse(text, status, {"Cache-Control": "no-store", **(headers or {})})
    say_page_language(answer, language)
    if asked_language(request):
        # The switch of this page has no script to keep the choice.
        answer.set_cookie(COOKIE, language, max_age=COOKIE_S, samesite="lax")
    return answer


def local_path(wanted: str) -> str:
    """Return a path of this service; `/` for everything that leads elsewhere."""
    plain = wanted.isprintable() and "\\" not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/"
