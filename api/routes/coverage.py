"""Coverage: the faults each machine is watched for, and the channel that would add one."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter

from api.http.errors import not_found
from api.http.explanation import advice, sentence
from api.http.language import answer_language
from api.http.query import NO_PARAMETERS
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
from api.state.auth import needs
from api.state.backend import Backend
from vtox.motor.alarms.coverage.coverage import FaultCoverage as Covered
from vtox.motor.alarms.coverage.coverage import LatestState, coverage
from vtox.motor.alarms.coverage.unlocks import unlock
from vtox.motor.faults import FAULTS
from vtox.motor.values.domain import Reason
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.machines.machines import MachineOverview

router = APIRouter(prefix="/api/v1", tags=["machines"])


@router.get(
    "/machines/{machine_id}/coverage",
    dependencies=[*needs("read"), *NO_PARAMETERS],
    summary="Faults that a machine is watched for",
)
def machine_coverage(machine_id: MachineId, backend: OpenBackend) -> Data[MachineCoverage]:
    """Return for each fault whether the latest record decided it, or the condition it needs."""
    overviews = machines.overview(backend.client(), [machine_id])
    if not overviews:
        raise not_found(f"machine {machine_id!r} is not known: it has not sent a window yet")
    covered = _coverage(overviews[0], backend)
    return Data(
        data=MachineCoverage(
            machine_id=machine_id,
            watched=sum(c.status == "watched" for c in covered),
            faults=[
                FaultCoverage.of(c, what_to_do=advice(c.why.code, c.why.values)) for c in covered
            ],
        )
    )


@router.get(
    "/coverage",
    dependencies=[*needs("read"), *NO_PARAMETERS],
    summary="Faults that the fleet is watched for",
)
def fleet_coverage(backend: OpenBackend) -> Data[FleetCoverage]:
    """Return for each fault how many machines are watched, and why the others are not."""
    return Data(data=backend.keep(f"coverage:{answer_language()}", lambda: _fleet(backend)))


def _fleet(backend: Backend) -> FleetCoverage:
    """Count the rows of the fleet's index; only the example of each reason is read."""
    rows = backend.server.fleet().rows
    by_fault: dict[str, dict[str, list[str]]] = {fault: {} for fault in FAULTS}
    for machine_id in sorted(rows):
        for fault, code in rows[machine_id].codes.items():
            by_fault[fault].setdefault(code, []).append(machine_id)
    examples = {members[0] for of in by_fault.values() for members in of.values()}
    overviews = {o.machine_id: o for o in machines.overview(backend.client(), sorted(examples))}
    return FleetCoverage(
        as_of=rfc3339(backend.now_s()) or "",
        machines=len(rows),
        faults=[_of_fault(f, of, len(rows), overviews) for f, of in by_fault.items()],
    )


def _coverage(overview: MachineOverview, backend: Backend) -> list[Covered]:
    latest = {
        fault: LatestState(r.state, Reason(r.code, r.values))
        for fault, r in overview.diagnoses.items()
    }
    return coverage(latest, silent=overview.silent(backend.settings.silence_after_s))


def _of_fault(
    fault: str,
    by_code: Mapping[str, Sequence[str]],
    machine_count: int,
    overviews: Mapping[str, MachineOverview],
) -> FleetFaultCoverage:
    blind = sum(map(len, by_code.values()))
    frequent = sorted(by_code.items(), key=lambda item: (-len(item[1]), item[0]))
    return FleetFaultCoverage(
        fault=fault,
        watched=machine_count - blind,
        blind=blind,
        watched_share=round(1 - blind / machine_count, 4) if machine_count else None,
        reasons=[_reason(fault, code, of, overviews.get(of[0])) for code, of in frequent],
    )


def _reason(
    fault: str, code: str, machine_ids: Sequence[str], example: MachineOverview | None
) -> BlindReason:
    """Return a reason with the sentence of its example, if that is still the same."""
    latest = example.diagnoses.get(fault) if example else None
    values = latest.values if latest and latest.code == code else {}
    return BlindReason(
        code=code,
        unlock=unlock(code),
        what_to_do=advice(code, values),
        machines=len(machine_ids),
        example=machine_ids[0],
        sentence=sentence(code, values),
    )
