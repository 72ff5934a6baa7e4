"""`GET /` and the pages for people: static files, no build step, nothing from other hosts."""

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, Response

from api.http.errors import not_found, wants_html
from api.http.language import page_language, set_page_language
from api.http.page_texts import page_in_language
from api.routes.system import OpenBackend, system_status
from api.schemas.common import Data
from api.schemas.system import SystemStatus
from api.state.auth import COOKIE, needs

router = APIRouter(tags=["pages"])

STATIC = Path(__file__).parent.parent / "static"
HEADERS = {"Cache-Control": "no-cache"}
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}


def page(request: Request, name: str) -> Response:
    """Return a page of the static folder in the reader's language, with the navigation."""
    language = page_language(request)
    values = {"path": request.url.path, "in_session": COOKIE in request.cookies}
    answer = HTMLResponse(page_in_language(name, language, **values), headers=HEADERS)
    set_page_language(answer, language)
    return answer


@router.get(
    "/",
    dependencies=needs("read"),
    summary="The system in short, or the page of the fleet",
    response_model=Data[SystemStatus],
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
def root(
    request: Request, backend: OpenBackend, response: Response
) -> Response | Data[SystemStatus]:
    """Return the status as JSON; to a client that accepts `text/html`, the page of the fleet."""
    if wants_html(request):
        html = page(request, "index.html")
        html.headers.add_vary_header("Accept")
        return html
    response.headers.add_vary_header("Accept")
    return system_status(backend)


@router.get("/machines/{machine_id}", dependencies=needs("read"), include_in_schema=False)
def machine_page(request: Request, machine_id: str) -> Response:
    """Return the page of one machine, known or not; it reads its data by this interface."""
    return page(request, "machine.html")


@router.get("/cluster", dependencies=needs("read"), include_in_schema=False)
@router.get("/setup", dependencies=needs("read"), include_in_schema=False)
@router.get("/alarms", dependencies=needs("read"), include_in_schema=False)
@router.get("/figures", dependencies=needs("read"), include_in_schema=False)
@router.get("/energy", dependencies=needs("read"), include_in_schema=False)
def page_of_address(request: Request) -> Response:
    """Return the page of the same name: `cluster.html` at `/cluster`."""
    return page(request, f"{request.scope['route'].path[1:]}.html")


@router.get("/static/signin.css", include_in_schema=False)
def sign_in_style() -> Response:
    """Return the style sheet of the page that asks for a key, which therefore needs none."""
    return _asset("signin.css")


@router.get("/static/{name}", dependencies=needs("read"), include_in_schema=False)
def asset(name: str) -> Response:
    """Return a script, style sheet or picture of the pages."""
    if name not in {f.name for f in STATIC.iterdir() if f.suffix in _TYPES}:
        raise not_found(f"no asset {name!r}")
    return _asset(name)


def _asset(name: str) -> Response:
    return FileResponse(STATIC / name, media_type=_TYPES[Path(name).suffix], headers=HEADERS)
