"""Alarms of the system itself: conditions kept on the server, and the monitor's memory.

An alarm is an entry of `system_alerts` without a machine; its `fault` is the name of the condition.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vtox.motor.values import codec
from vtox.motor.values.domain import Reason
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server import scripts
from vtox.pipeline.store.server.client import Client

Event = Literal["", "raised", "escalated", "cleared"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition as it was just observed.

    It is raised when it has held for `raise_after_s`, and cleared when it has been over for
    `clear_after_s`; `why` is the reason of the alarm, or why it is cleared.
    """

    name: str
    holds: bool
    why: Reason
    level: Literal["warning", "fault"] = "warning"
    raise_after_s: float = 0.0
    clear_after_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The monitor's last observations, at the server's time `t`; the next pass compares with them.

    `finished` is family -> windows done or dead. `dead_letters` are readings of the last minutes:
    time, and code -> dead letters so far. `deleted_unread` is the count of windows that another
    program deleted, whose growth matters, and `deleted_windows` those of the open alarm. `served`
    are the families that have had a worker since the system started.
    """

    t: float
    interval_s: float
    finished: Mapping[str, int] = field(default_factory=dict)
    dead_letters: tuple[tuple[float, Mapping[str, int]], ...] = ()
    deleted_unread: int | None = None
    deleted_windows: int = 0
    unread_age_s: float | None = None
    unfinished_age_s: float | None = None
    served: tuple[str, ...] = ()


def keep(client: Client, condition: Condition, forget_after_s: float) -> Event:
    """Keep a condition as observed, and return the event that this makes of its alarm.

    A condition that was not observed for `forget_after_s` begins again, unless it is raised. One
    script, by the server's clock: two monitors raise an alarm once, and a restarted monitor goes
    on.
    """
    why = condition.why
    args = [
        condition.name,
        int(condition.holds),
        condition.level,
        why.code,
        codec.encode(why.values),
        why.sentence,
        *(int(s * 1000) for s in (condition.raise_after_s, condition.clear_after_s)),
        int(forget_after_s * 1000),
    ]
    script = client.register_script(scripts.source("set_alarm", shared=True))
    event: bytes = script(keys=[keys.ALARMS, keys.ALERTS], args=args)
    return event.decode()  # type: ignore[return-value]


def condition_names(client: Client) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of the conditions that are kept, and of those whose alarm is raised."""
    rows = client.hgetall(keys.ALARMS).items()
    states = {name.decode("utf-8", "replace"): codec.json_of_field(text) for name, text in rows}
    raised = (n for n, state in states.items() if isinstance(state, dict) and state.get("id"))
    return frozenset(states), frozenset(raised)


def load_watch(client: Client) -> Watch | None:
    """Return the monitor's last observations, None before its first pass."""
    return codec.decode_or_none(Watch, client.get(keys.WATCH))


def store_watch(client: Client, watch: Watch) -> None:
    """Keep the monitor's observations."""
    client.set(keys.WATCH, codec.encode(watch))
