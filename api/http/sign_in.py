"""The page on which people sign in, served at the address that a browser wanted to open."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.http.language import COOKIE, COOKIE_S, asked_language, page_language, say_page_language
from api.http.page_texts import page_in_language, page_texts
from vtox.motor.words.languages import Language

STATIC = Path(__file__).parent.parent / "static"
SIGNED_IN = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0;url={{ wanted }}">
<title>VTOX</title>
<link rel="stylesheet" href="/static/signin.css">
</head>
<body><a href="{{ wanted }}">{{ signin.go_on }}</a></body>
</html>
"""
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
    language = page_language(request)
    oidc = request.app.state.backend.settings.oidc
    why = why or ("asks_people" if oidc.is_set else "asks")
    texts = page_texts(language)
    reason = texts[f"signin.{why}"].format(**(values or {}))
    links = ""
    if oidc.is_set:
        label = texts["signin.by_provider"].format(host=oidc.host)
        links = _link(f"/sign-in/provider?wanted={quote(local_path(wanted))}", label, "button")
    if sign_out_url:
        links += _link(sign_out_url, texts["signin.leave_provider"].format(host=oidc.host))
    tone = "" if why in CALM else "wrong"
    filled = {"why": reason, "tone": tone, "wanted": local_path(wanted)}
    html = (STATIC / "signin.html").read_text("utf-8")
    return _answer(request, html, language, status, filled, {"links": links}, headers)


def signed_in_page(request: Request, wanted: str) -> HTMLResponse:
    """Return the page that goes on to `wanted` by itself.

    A browser that comes from another site would send no strict cookie where an answer redirects it.
    """
    filled = {"wanted": local_path(wanted)}
    return _answer(request, SIGNED_IN, page_language(request), 200, filled, {}, None)


def local_path(wanted: str) -> str:
    """Return a path of this service; `/` for everything that leads elsewhere."""
    plain = wanted.isprintable() and "\\" not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/"


def _answer(
    request: Request,
    html: str,
    language: Language,
    status: int,
    texts: Mapping[str, str],
    markup: Mapping[str, str],
    headers: Mapping[str, str] | None,
) -> HTMLResponse:
    page = page_in_language(html, language)
    for place, text in (*((k, escape(v)) for k, v in texts.items()), *markup.items()):
        page = page.replace(f"{{{{ {place} }}}}", text)
    answer = HTMLResponse(page, status, {"Cache-Control": "no-store", **(headers or {})})
    say_page_language(answer, language)
    if asked_language(request):
        # The switch of this page has no script to keep the choice.
        answer.set_cookie(COOKIE, language, max_age=COOKIE_S, samesite="lax")
    return answer


def _link(url: str, text: str, kind: str = "") -> str:
    return f'<a class="{kind}" href="{escape(url)}">{escape(text)}</a>'
