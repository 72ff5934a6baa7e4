"""One action on many alarms, machines out of service, and who may act."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from api.http.errors import not_found
from api.http.json_route import JsonRoute
from api.http.query import NO_PARAMETERS
from api.routes.alarms import OPERATE, AlarmId
from api.routes.machines import MachineId
from api.routes.system import OpenBackend
from api.schemas.alarm_actions import (
    AcknowledgeIn,
    AssignIn,
    BulkIn,
    BulkResult,
    CloseIn,
    CommentIn,
    InServiceIn,
    OperatorIn,
    OutOfServiceIn,
    ShelveIn,
    UngroupIn,
    UnshelveIn,
)
from api.schemas.alarms import (
    Access,
    Service,
)
from api.schemas.common import Data
from api.schemas.machines import Dismissal
from api.shapes.alarm_shapes import alarm_time
from api.shapes.dismissals import dismissals_of
from api.shapes.supply_alarms import groups_of
from api.state.auth import needs
from api.state.backend import Backend
from api.state.operator import (
    Details,
    Operator,
    act,
    action_on,
    actor_of,
    log_action,
    operator_of,
)
from vtox.motor.alarms.book import Action, ActionName, Book, possible_actions
from vtox.motor.alarms.supplies import group_ids
from vtox.motor.errors import AlarmRefused
from vtox.pipeline.store.machines.machines import is_listed
from vtox.pipeline.store.system.deeds import change_service, let_alarm_come_again

router = APIRouter(prefix="/api/v1", tags=["alarms"], route_class=JsonRoute)

KINDS: dict[ActionName, type[Details]] = {
    "acknowledge": AcknowledgeIn,
    "comment": CommentIn,
    "shelve": ShelveIn,
    "unshelve": UnshelveIn,
    "close": CloseIn,
    "ungroup": UngroupIn,
    "assign": AssignIn,
}
OF_BULK = {"filter", "action", "dry_run", "expected_count"}


@router.get(
    "/access", dependencies=[*needs("read"), *NO_PARAMETERS], summary="Permissions of this sender"
)
def get_access(request: Request) -> Data[Access]:
    """Return the changes that this key, session or host may make, and the name it acts under."""
    keyed = bool(getattr(request.state, "key_id", ""))
    access = Access(
        name=request.state.key_name if keyed else "",
        may_operate=request.state.may_operate if keyed else True,
        may_engineer=request.state.may_engineer if keyed else True,
        name_needed=not keyed,
    )
    return Data(data=access)


@router.post("/alarms/actions", dependencies=OPERATE, summary="Act on many alarms")
def act_on_many(request: Request, sent: BulkIn, backend: OpenBackend) -> Data[BulkResult]:
    """Do one action with all alarms that match a filter, all at once or none.

    409 `count_changed` if the alarms to change are not as many as expected: ask again by `dry_run`.
    """
    given = sent.model_dump(exclude_unset=True, exclude=OF_BULK)
    details = _details(sent.action, given)
    operator = operator_of(request, sent.by)
    bulk = _Bulk(sent, details, operator, backend)
    return Data(data=bulk.run())


def _details(action: ActionName, given: Mapping[str, Any]) -> Details:
    """Return the fields of an action, or raise the problem that names the one at fault."""
    try:
        return KINDS[action].model_validate(given)
    except ValidationError as error:
        errors = [{**e, "loc": ("body", *e["loc"])} for e in error.errors()]
        raise RequestValidationError(errors) from None


@dataclass(frozen=True, slots=True)
class _Bulk:
    """One action on many alarms."""

    sent: BulkIn
    details: Details
    operator: Operator
    backend: Backend

    def run(self) -> BulkResult:
        """Do it, with all at once or none."""
        result = BulkResult(matched=0, count=0, refused={}, done=not self.sent.dry_run)

        def actions(book: Book, now_ms: int) -> Iterator[Action]:
            nonlocal result
            possible, result = self._possible(book, now_ms)
            if self.sent.dry_run or (not possible and self._is_done(book)):
                return
            if len(possible) != self.sent.expected_count:
                what = (
                    f"{len(possible)} alarms would be changed, expected "
                    f"{self.sent.expected_count}: ask again by dry_run"
                )
                raise AlarmRefused("count_changed", what)
            yield from possible

        act(self.backend.server, actions)
        return result

    def _is_done(self, book: Book) -> bool:
        """Return whether this request was followed already."""
        wanted = self.sent.request_id
        return bool(wanted) and any(wanted in a.requests for a in book.alarms.values())

    def _possible(self, book: Book, now_ms: int) -> tuple[list[Action], BulkResult]:
        done = not self.sent.dry_run
        if self._is_done(book):
            n = self.sent.expected_count or 0
            return [], BulkResult(matched=n, count=n, refused={}, done=done)
        alarms = book.at(now_ms).alarms
        groups: Mapping[str, str] = {}
        if self.sent.filter.group:
            groups = group_ids(groups_of(self.backend, alarms.values()))
        possible, refused = possible_actions(
            book,
            [
                action_on(a, self.sent.action, self.details, now_ms, self.operator)
                for a in alarms.values()
                if self.sent.filter.matches(a, groups)
            ],
        )
        matched = len(possible) + refused.total()
        result = BulkResult(matched=matched, count=len(possible), refused=dict(refused), done=done)
        return possible, result


@router.post(
    "/machines/{machine_id}/out-of-service",
    dependencies=OPERATE,
    summary="Take a machine out of service",
)
def take_out_of_service(
    request: Request, machine_id: MachineId, sent: OutOfServiceIn, backend: OpenBackend
) -> Data[Service]:
    """From now on the alarms of the machine are not open, until it is returned to service."""
    return _change_service(request, backend, "take_out_of_service", machine_id, sent, sent.reason)


@router.post(
    "/machines/{machine_id}/in-service", dependencies=OPERATE, summary="Return a machine to service"
)
def return_to_service(
    request: Request, machine_id: MachineId, sent: InServiceIn, backend: OpenBackend
) -> Data[Service]:
    """From now on the alarms of the machine are open again; active ones need attention."""
    return _change_service(
        request, backend, "return_to_service", machine_id, sent, sent.comment or ""
    )


@router.post(
    "/machines/{machine_id}/dismissals/{alarm_id}/end",
    dependencies=OPERATE,
    summary="Let an alarm come again that was closed as false",
)
def end_dismissal(
    request: Request,
    machine_id: MachineId,
    alarm_id: AlarmId,
    sent: OperatorIn,
    backend: OpenBackend,
) -> Data[list[Dismissal]]:
    """Let the alarm come again from the machine's next record on; return the other dismissals."""
    client, operator = backend.client(), operator_of(request, sent.by)
    actor = actor_of(request, operator.by)
    if not let_alarm_come_again(client, actor, machine_id, alarm_id):
        raise not_found(f"no alarm of machine {machine_id!r} with this id is closed as false now")
    return Data(data=dismissals_of(client, machine_id))


def _change_service(
    request: Request,
    backend: Backend,
    name: ActionName,
    machine_id: str,
    sent: OperatorIn,
    text: str,
) -> Data[Service]:
    client = backend.client()
    if not is_listed(client, machine_id):
        raise not_found(f"machine {machine_id!r} is not known")
    operator = operator_of(request, sent.by)

    def action(now_ms: int) -> Action:
        return Action(
            name=name,
            machine_id=machine_id,
            ms=now_ms,
            text=text,
            request_id=sent.request_id or "",
            **operator._asdict(),
        )

    for done in change_service(client, actor_of(request, operator.by), action):
        log_action(done)
    return Data(data=_service_of(backend, machine_id))


def _service_of(backend: Backend, machine_id: str) -> Service:
    """Return whether a machine is in service."""
    book, _ = backend.book()
    out = book.out_of_service.get(machine_id)
    return Service(
        machine_id=machine_id,
        in_service=out is None,
        since=alarm_time(out.ms) if out else None,
        by=out.by if out else "",
        reason=out.reason if out else "",
    )
