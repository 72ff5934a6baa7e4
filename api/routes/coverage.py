"""Coverage: what each machine is watched for, and what would end its blindness."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from fastapi import APIRouter

from api.auth import needs
from api.backend import Backend
from api.errors import not_found
from api.explanation import sentence
from api.query import NO_PARAMETERS
from api.routes.machines import MachineId
from api.routes.system import OpenBackend
from api.schemas.common import Data, rfc3339
from api.schemas.coverage import (
    BlindReason,
    FaultCoverage,
    FleetCoverage,
    FleetFaultCoverage,
    MachineCoverage,
)
from vtox.coverage.coverage import FaultCoverage as Covered
from vtox.coverage.coverage import LatestState, coverage
from vtox.domain import Reason
from vtox.faults import FAULTS
from vtox.sentences.rendering import advice
from vtox.store import machines
from vtox.store.client import server_time
from vtox.store.machines import MachineOverview

router = APIRouter(prefix="/api/v1", tags=["machines"])
# Machines read at a time: their latest diagnoses take some kilobytes each.
PART = 500


@router.get(
    "/machines/{machine_id}/coverage",
    dependencies=[*needs("read"), *NO_PARAMETERS],
    summary="What a machine is watched for",
)
def machine_coverage(machine_id: MachineId, backend: OpenBackend) -> Data[MachineCoverage]:
    """Return for each fault whether the latest record decided, and if not what would unlock it."""
    overviews = machines.overview(backend.client(), [machine_id])
    if not overviews:
        raise not_found(f"machine {machine_id!r} is not known: it has not sent a window yet")
    covered = _coverage(overviews[0], backend)
    return Data(
        data=MachineCoverage(
            machine_id=machine_id,
            watched=sum(c.status == "watched" for c in covered),
            faults=[
                FaultCoverage(
                    fault=c.fault,
                    status=c.status,
                    state=c.state,
                    code=c.why.code,
                    values=dict(c.why.values),
                    sentence=sentence(c.why.code, c.why.values),
                    what_to_do=advice(c.why.code),
                    unlock=c.unlock,
                )
                for c in covered
            ],
        )
    )


@router.get(
    "/coverage",
    dependencies=[*needs("read"), *NO_PARAMETERS],
    summary="What the fleet is watched for",
)
def fleet_coverage(backend: OpenBackend) -> Data[FleetCoverage]:
    """Return for each fault how many machines are watched, and why the others are not."""
    return Data(data=backend.keep("coverage", lambda: _fleet(backend)))


def _fleet(backend: Backend) -> FleetCoverage:
    client = backend.client()
    names = sorted(machines.last_arrivals(client))
    by_fault: dict[str, list[tuple[str, Covered]]] = {fault: [] for fault in FAULTS}
    for first in range(0, len(names), PART):
        for overview in machines.overview(client, names[first : first + PART]):
            for c in _coverage(overview, backend):
                by_fault[c.fault].append((overview.machine_id, c))
    return FleetCoverage(
        as_of=rfc3339(server_time(client)) or "",
        machines=len(names),
        faults=[_of_fault(fault, found) for fault, found in by_fault.items()],
    )


def _coverage(overview: MachineOverview, backend: Backend) -> list[Covered]:
    latest = {
        fault: LatestState(r.state, Reason(r.code, r.values))
        for fault, r in overview.diagnoses.items()
    }
    return coverage(latest, silent=overview.silent(backend.settings.silence_after_s))


def _of_fault(fault: str, found: Iterable[tuple[str, Covered]]) -> FleetFaultCoverage:
    by_code: dict[str, list[tuple[str, Covered]]] = defaultdict(list)
    watched = 0
    for machine_id, c in found:
        if c.status == "watched":
            watched += 1
        else:
            by_code[c.why.code].append((machine_id, c))
    blind = sum(map(len, by_code.values()))
    return FleetFaultCoverage(
        fault=fault,
        watched=watched,
        blind=blind,
        watched_share=round(watched / (watched + blind), 4) if watched + blind else None,
        reasons=_reasons(by_code),
    )


def _reasons(by_code: Mapping[str, list[tuple[str, Covered]]]) -> list[BlindReason]:
    reasons = []
    for code, members in sorted(by_code.items(), key=lambda item: (-len(item[1]), item[0])):
        machine_id, example = members[0]
        assert example.unlock
        reasons.append(
            BlindReason(
                code=code,
                unlock=example.unlock,
                what_to_do=advice(code),
                machines=len(members),
                example=machine_id,
                sentence=sentence(code, example.why.values),
            )
        )
    return reasons
