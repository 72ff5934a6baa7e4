"""The page on which people sign in, served at the address that a browser wanted to open."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.http.language import COOKIE, COOKIE_S, asked_language, page_language, set_page_language
from api.http.page_texts import page_in_language, page_texts

# Texts of the page that say nothing of an error.
CALM = ("asks", "asks_people", "signed_out")


def sign_in_page(
    request: Request,
    status: int,
    *,
    wanted: str,
    why: str = "",
    values: Mapping[str, str] | None = None,
    sign_out_url: str = "",
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Return the page; after signing in, the browser goes on to the path `wanted`.

    `why` is the key of the text that it begins with, which has places for `values`. With
    `sign_out_url` a link leads there, to sign out of the provider.
    """
    oidc = request.app.state.backend.settings.oidc
    why = why or ("asks_people" if oidc.is_set else "asks")
    texts = page_texts(page_language(request))
    reason = texts[f"signin.{why}"].format(**(values or {}))
    tone = "" if why in CALM else "wrong"
    filled = {
        "why": reason,
        "tone": tone,
        "wanted": local_path(wanted),
        "by_provider": oidc.is_set and texts["signin.by_provider"].format(host=oidc.host),
        "leave_provider": texts["signin.leave_provider"].format(host=oidc.host),
        "sign_out_url": sign_out_url,
    }
    return _answer(request, "signin.html", status, filled, headers)


def signed_in_page(request: Request, wanted: str) -> HTMLResponse:
    """Return the page that goes on to `wanted` by itself.

    A browser that comes from another site would send no strict cookie where an answer redirects it.
    """
    return _answer(request, "signedin.html", 200, {"wanted": local_path(wanted)})


def local_path(wanted: str) -> str:
    """Return a path of this service; `/` for everything that leads elsewhere."""
    plain = wanted.isprintable() and "\\" not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/"


def _answer(
    request: Request,
    name: str,
    status: int,
    values: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    language = page_language(request)
    page = page_in_language(name, language, **values)
    answer = HTMLResponse(page, status, {"Cache-Control": "no-store", **(headers or {})})
    set_page_language(answer, language)
    if asked_language(request):
        # The switch of this page has no script to keep the choice.
        answer.set_cookie(COOKIE, language, max_age=COOKIE_S, samesite="lax")
    return answer
