"""Operators: the sender of a request, and the action that it asks for."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import structlog
from fastapi import Request

from api.http.errors import Problem
from api.schemas.alarm_actions import (
    SHELVED_AT_MOST_S,
    AcknowledgeIn,
    AssignIn,
    CloseIn,
    CommentIn,
    ShelveIn,
    WorkOrderIn,
)
from api.schemas.common import NAME_MAX
from api.state.server import Server
from vtox.motor.alarms.book import Action, ActionName, Book
from vtox.motor.alarms.life import Alarm
from vtox.pipeline.store.alarms.alarm_actions import work_order
from vtox.pipeline.store.machines.dismissals import dismiss
from vtox.pipeline.store.system.audit import Actor

log = structlog.get_logger()

Details = AcknowledgeIn | CommentIn | ShelveIn | CloseIn | WorkOrderIn | AssignIn


class Operator(NamedTuple):
    """The operator: the name of the API key with its id, or the name that was sent without one."""

    by: str
    key_id: str


def operator_of(request: Request, by: str | None) -> Operator:
    """Return the operator, or raise the problem that a name is missing."""
    if key_id := getattr(request.state, "key_id", ""):
        return Operator(request.state.key_name, key_id)
    if not by:
        raise Problem(
            "invalid", "by: no API key is used here, so send the name of who acts", field="by"
        )
    return Operator(by, "")


def named_operator(request: Request, by: Any) -> str:
    """Return the operator as one text: the name, and the id of the key in brackets."""
    is_name = isinstance(by, str) and by.isprintable() and len(by.strip()) <= NAME_MAX
    if by is not None and not is_name:
        detail = f"by: expected the name of who acts, at most {NAME_MAX} printable characters"
        raise Problem("invalid", detail, field="by")
    who = operator_of(request, by and by.strip())
    return f"{who.by} ({who.key_id})" if who.key_id else who.by


def actor_of(request: Request, by: str = "") -> Actor:
    """Return the sender of a request, for the audit; `by` is the name sent without a key."""
    key_id = getattr(request.state, "key_id", "")
    name = request.state.key_name if key_id else by
    # Behind a proxy that uvicorn trusts (`--forwarded-allow-ips`), this is its client's address.
    address = request.client.host if request.client else ""
    return Actor(by=name, key_id=key_id, address=address)


def act(server: Server, actions: Callable[[Book, int], Iterable[Action]]) -> None:
    """Do the actions of an operator, as `KeptBook.act`, and log them.

    An alarm closed as false is dismissed, also if a request comes again because its answer was
    lost: the service may have ended between the two.
    """
    wanted: list[Action] = []

    def remembered(book: Book, now_ms: int) -> list[Action]:
        wanted[:] = actions(book, now_ms)
        return wanted

    client = server.client()
    for a in server.alarms.act(client, remembered):
        log_action(a)
    closed = [a for a in wanted if a.name == "close" and a.outcome == "false_alarm"]
    book = server.alarms.read(client)[0] if closed else Book()
    for a in closed:
        dismiss(client, book.alarms[a.alarm_id])


def log_action(a: Action) -> None:
    """Log the action of an operator."""
    about = a.alarm_id or a.machine_id
    log.info("operator's action", action=a.name, about=about, by=a.by, outcome=a.outcome)


def action_on(
    alarm: Alarm, name: ActionName, sent: Details, now_ms: int, operator: Operator
) -> Action:
    """Return the action on an alarm, or raise the problem that its time is not acceptable."""
    order, text = None, ""
    if isinstance(sent, WorkOrderIn):
        order = work_order(sent.system, sent.reference, sent.url or "")
    elif isinstance(sent, AssignIn):
        text = sent.assignee or ""
    else:
        text = (sent.reason if isinstance(sent, ShelveIn) else sent.comment) or ""
    return Action(
        name=name,
        machine_id=alarm.machine_id,
        fault=alarm.fault,
        alarm_id=alarm.id,
        ms=now_ms,
        text=text,
        until_ms=_shelved_until_ms(sent, now_ms) if isinstance(sent, ShelveIn) else None,
        outcome=sent.outcome if isinstance(sent, CloseIn) else None,
        work_order=order,
        request_id=sent.request_id or "",
        **operator._asdict(),
    )


def _shelved_until_ms(sent: ShelveIn, now_ms: int) -> int:
    if sent.until is None:
        return now_ms + 1000 * (sent.for_s or 0)
    until_ms = round(1000 * sent.until.timestamp())
    if not now_ms < until_ms <= now_ms + 1000 * SHELVED_AT_MOST_S:
        raise Problem(
            "invalid",
            f"until: {sent.until.isoformat()} is not in the next {SHELVED_AT_MOST_S // 86400} days",
            field="until",
        )
    return until_ms
