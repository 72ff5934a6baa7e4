"""The page that asks for an API key, served at the address that a browser wanted to open."""

from collections.abc import Mapping
from html import escape
from pathlib import Path

from starlette.responses import HTMLResponse

PAGE = Path(__file__).parent / "static" / "signin.html"
ASKS = "This system asks for an API key that may read."
_NOT_STORED = {"Cache-Control": "no-store"}


def sign_in_page(
    status: int, *, wanted: str, why: str = ASKS, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """Return the page; after signing in, the browser goes on to the path `wanted`."""
    text = PAGE.read_text()
    tone = "" if why == ASKS else "wrong"
    for name, value in (("why", why), ("tone", tone), ("wanted", local_path(wanted))):
        text = text.replace(f"{{{{ {name} }}}}", escape(value))
    return HTMLResponse(text, status, {**_NOT_STORED, **(headers or {})})


def local_path(wanted: str) -> str:
    """Return a path of this service; `/` for everything that leads elsewhere."""
    plain = wanted.isprintable() and "\\" not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/"
