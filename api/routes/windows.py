"""Windows by HTTP: the same stream entry as from any Redis client."""

from math import ceil
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from api.http.errors import Problem
from api.http.json_route import JsonRoute, JsonText
from api.http.query import NO_PARAMETERS
from api.routes.machines import MachineId
from api.routes.system import OpenBackend
from api.schemas.common import Data, DescribedBy
from api.schemas.windows import Accepted, WindowIn
from api.state.auth import needs
from api.state.backend import Backend
from vtox.pipeline.store.ledger.quotas import Quota, charge
from vtox.pipeline.store.ledger.retention import MB
from vtox.pipeline.store.stream.durability import add_window_on_disk, add_window_on_replicas
from vtox.pipeline.store.stream.window_log import Fields, add_window
from vtox.pipeline.windows.json_windows import entry_fields
from vtox.pipeline.windows.wire import Limits, decode_header

router = APIRouter(prefix="/api/v1/machines", tags=["windows"], route_class=JsonRoute)

LOCATION = {
    "Location": {
        "description": "address of the diagnoses of the machine",
        "schema": {"type": "string", "format": "uri-reference"},
    }
}


def charge_quotas(
    request: Request, machine_id: MachineId, text: JsonText, backend: OpenBackend
) -> None:
    """Charge the quotas of key and machine, before the body is parsed."""
    s = backend.settings
    own, of_key = s.quota.api_machine, s.quota.api_key
    quotas = [Quota(f"machine:{machine_id}", own.windows_per_s, MB * own.mb_per_s)]
    if key_id := getattr(request.state, "key_id", ""):
        quotas.append(Quota(f"key:{key_id}", of_key.windows_per_s, MB * of_key.mb_per_s))
    wait_s = charge(backend.client(), quotas, machine_id, len(text), max_machines=s.max_machines)
    if wait_s:
        raise Problem(
            "too_many_requests",
            f"this API key or machine sends more than its quota (VTOX_QUOTA__API_KEY, "
            f"VTOX_QUOTA__API_MACHINE): send this window again in {wait_s:.1f} s",
            headers={"Retry-After": str(ceil(wait_s))},
        )


@router.post(
    "/{machine_id}/windows",
    status_code=202,
    dependencies=[*needs("ingest"), *NO_PARAMETERS, Depends(charge_quotas)],
    summary="Send a window",
    responses={202: {"headers": LOCATION}},
)
def post_window(
    machine_id: MachineId,
    window: Annotated[dict[str, Any], DescribedBy(WindowIn)],
    backend: OpenBackend,
    response: Response,
) -> Data[Accepted]:
    """Send one window. Sent twice (same seq, run and t0) it counts once, so a retry is safe."""
    s = backend.settings
    fields = entry_fields(window, machine_id)
    header = decode_header(fields, Limits(s.max_window_bytes))
    stream_id = _add(backend, machine_id, fields)
    response.headers["Location"] = f"/api/v1/machines/{machine_id}/diagnoses"
    return Data(data=Accepted.of(header, stream_id=stream_id))


def _add(backend: Backend, machine_id: str, fields: Fields) -> str:
    s, client, raw = backend.settings, backend.client(), backend.server.stream_of(machine_id)
    # With fsync at every write the embedded server answers when a window is on disk.
    if s.ack.disk and s.redis_url:
        return add_window_on_disk(client, fields, s.ack.replicas, raw)
    if s.ack.replicas:
        return add_window_on_replicas(client, fields, s.ack.replicas, raw)
    return add_window(client, fields, raw)
