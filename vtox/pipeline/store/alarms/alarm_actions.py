"""The codec of `alarm_actions`: the operators' actions, as entries of the stream."""

from typing import Any, get_args

from vtox.motor.alarms.book import Action, ActionName
from vtox.motor.alarms.life import OUTCOMES
from vtox.motor.alarms.work_orders import WorkOrder
from vtox.motor.values.codec import TEXT_MAX, RawFields
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream import outputs
from vtox.pipeline.store.stream.entries import time_s

ACTIONS: tuple[ActionName, ...] = get_args(ActionName)
_TEXTS = ("machine_id", "by", "key_id", "alarm_id", "fault", "text", "request_id")
# The fields of a work order.
_ORDER = ("system", "reference", "url")


def encode_action(a: Action) -> list[str]:
    """Return the fields of an entry, name and value in turn; empty fields are absent."""
    fields = {"action": a.name, "t": f"{a.ms / 1000:.3f}"} | {n: getattr(a, n) for n in _TEXTS}
    if a.until_ms is not None:
        fields["until_t"] = f"{a.until_ms / 1000:.3f}"
    if a.outcome:
        fields["outcome"] = a.outcome
    if a.work_order:
        fields |= {n: getattr(a.work_order, n) for n in _ORDER}
    return [text for field in fields.items() if field[1] for text in field]


def decode_action(fields: RawFields) -> Action | None:
    """Return the action of an entry, None if it is none that this version knows."""
    text = {
        k.decode("utf-8", "replace"): v.decode("utf-8", "replace")[:TEXT_MAX]
        for k, v in fields.items()
    }
    t, until_t = time_s(text.get("t")), time_s(text.get("until_t"))
    outcome = text.get("outcome") or None
    if text.get("action") not in ACTIONS or t is None or outcome not in (None, *OUTCOMES):
        return None
    known: dict[str, Any] = {n: text.get(n, "") for n in _TEXTS}
    return Action(
        name=text["action"],  # type: ignore[arg-type]
        ms=round(1000 * t),
        until_ms=None if until_t is None else round(1000 * until_t),
        outcome=outcome,
        work_order=work_order(**{n: text.get(n, "") for n in _ORDER}),
        **known,
    )


def work_order(system: str, reference: str, url: str) -> WorkOrder | None:
    """Return the work order of these texts, None if they name none."""
    if not (system and reference):
        return None
    return WorkOrder(system=system, reference=reference, url=url)


def actions_after(client: Client, entry_id: str) -> list[tuple[str, Action]]:
    """Return ids and actions of the entries after one, oldest first."""
    entries, _ = outputs.after(client, keys.ALARM_ACTIONS, entry_id)
    decoded = ((i.decode(), decode_action(fields)) for i, fields in entries)
    return [(i, action) for i, action in decoded if action]
