"""The codec of what a machine has shown: field `memory` of its hash."""

from collections.abc import Mapping
from typing import Any

import orjson
import structlog

from vtox.alarms.health.alerts import FaultHistory
from vtox.alarms.health.assessment import Published
from vtox.alarms.health.update import MachineHistory
from vtox.faults import FAULTS
from vtox.store.stream.reason_tables import (
    reasons_from_table,
    values_from_table,
    verdict_from_table,
)
from vtox.values import codec

log = structlog.get_logger()


def history_json(h: MachineHistory) -> bytes:
    """Return a history as the field `memory` of its machine keeps it.

    `retire.lua` reads `alert` and `level` of each fault.
    """
    published = {"last_published": h.last_published} if h.last_published else {}
    return codec.encode({**h.faults, **published})


def history_from_json(text: bytes | None) -> MachineHistory:
    """Return the history that `memory` keeps, of this version or another; empty where damaged."""
    if not text:
        return MachineHistory()
    try:
        table = orjson.loads(text)
        published = table.pop("last_published", None) or table.pop("told", None)
        return MachineHistory(
            {fault: _fault_history(table[fault]) for fault in FAULTS if fault in table},
            Published(published["t"], published["health"], published["state"])
            if published
            else None,
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # Its records must not become poison: the machine begins anew.
        log.error("what a machine has shown cannot be read", reason=repr(error))
        return MachineHistory()


def may_have_alert(text: bytes) -> bool:
    """Whether a stored history may hold an open alert, without decoding it: most hold none."""
    return text.count(b'"alert":') != text.count(b'"alert":""')


def _fault_history(entry: Mapping[str, Any]) -> FaultHistory:
    if "marks" not in entry:
        return _old_fault_history(entry)
    return FaultHistory(
        entry.get("last_state", ""),
        entry.get("last_code", ""),
        entry.get("last_reason", ""),
        entry.get("last_t", 0.0),
        entry.get("load_a"),
        tuple(entry.get("severities", ())),
        entry.get("level", ""),
        entry["marks"],
        tuple(entry["starts"]),
        entry.get("alert", ""),
        values_from_table(entry.get("last_values") or {}),
        tuple(entry.get("orders", ())),
        reasons_from_table(entry.get("last_doubts")),
        verdict_from_table(entry.get("held")),
    )


def _old_fault_history(entry: Mapping[str, Any]) -> FaultHistory:
    """Return the history of a fault as the first version kept it, with a list of slots."""
    recent = entry.get("recent", ())
    marks, starts = "".join(mark for mark, _ in recent), tuple(t for _, t in recent)
    return FaultHistory(
        entry.get("last", ""),
        "",
        entry.get("reason", ""),
        entry.get("t", 0.0),
        entry.get("load_a"),
        tuple(entry.get("severity", ())),
        entry.get("level", ""),
        marks,
        starts,
        entry.get("alert", ""),
    )
