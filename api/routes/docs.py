"""The interface described: `/openapi.json`, and for people `/docs`, which needs no internet."""

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from api.http.query import NO_PARAMETERS
from api.routes.pages import page
from api.state.auth import needs

router = APIRouter(dependencies=needs("read"), include_in_schema=False)


@router.get("/docs")
def docs(request: Request) -> Response:
    """Return the page that shows `/openapi.json`."""
    return page(request, "docs.html")


@router.get("/openapi.json", dependencies=NO_PARAMETERS)
def openapi(request: Request) -> JSONResponse:
    """Return the OpenAPI document."""
    return JSONResponse(request.app.openapi())
