"""The codec of what a machine has shown: field `memory` of its hash."""

import orjson
import structlog

from vtox.alarms.health.alerts import FaultHistory
from vtox.alarms.health.assessment import Published
from vtox.alarms.health.update import MachineHistory
from vtox.faults import FAULTS
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
        published = table.get("last_published")
        return MachineHistory(
            {f: codec.from_plain(FaultHistory, table[f]) for f in FAULTS if f in table},
            codec.from_plain(Published, published) if published else None,
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # Its records must not become poison: the machine begins anew.
        log.error("what a machine has shown cannot be read", reason=repr(error))
        return MachineHistory()


def may_have_alert(text: bytes) -> bool:
    """Whether a stored history may hold an open alert, without decoding it: most hold none."""
    return text.count(b'"alert":') != text.count(b'"alert":""')
