"""Reports on machines as files, as `vtox report` writes them."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.http.errors import Problem
from api.http.language import answer_language
from api.http.query import EmptyQuery
from api.routes.history import T_END
from api.routes.machines import MachineId, machine_by_id
from api.routes.system import OpenBackend
from api.state.auth import needs
from vtox.reporting.reports.errors import ReportError

router = APIRouter(prefix="/api/v1", tags=["history"])
FILE = {"text/html": {"schema": {"type": "string"}}}


class _ReportQuery(EmptyQuery):
    """The time span of a report."""

    from_t: float | None = Field(
        None, ge=0, lt=T_END, description="s since 1970 (UTC); left out: all that is kept"
    )
    to_t: float | None = Field(None, ge=0, lt=T_END, description="s since 1970 (UTC); without: now")


@router.get(
    "/machines/{machine_id}/report",
    dependencies=needs("read"),
    summary="Report on a machine as a file",
    response_class=Response,
    responses={200: {"content": FILE}},
)
def machine_report(
    machine_id: MachineId,
    backend: OpenBackend,
    query: Annotated[_ReportQuery, Query()],
) -> Response:
    """Return one HTML file that opens offline, and whose verdicts `vtox verify` computes again.

    It covers the latest kept records, those behind open alarms, and the history.
    """
    # scipy takes 0.3 s and 40 MB, which a process that makes no report does without.
    from vtox.reporting.reports.document import document
    from vtox.reporting.reports.machine_report import Period, machine_contents
    from vtox.reporting.reports.page import page

    if query.from_t is not None and query.to_t is not None and query.from_t >= query.to_t:
        detail = f"from_t: {query.from_t} is not before to_t {query.to_t}"
        raise Problem("invalid", detail, field="from_t")
    machine_by_id(machine_id, backend)
    with backend.computing():
        try:
            contents = machine_contents(
                backend.client(),
                backend.settings,
                backend.history(),
                machine_id,
                Period(query.from_t, query.to_t),
                answer_language(),
            )
        except ReportError as error:
            raise Problem("no_waveform", str(error)) from error
        text = document(contents, page(contents))
    name = f"{machine_id}.html".replace(":", "_")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/html", headers=headers)
