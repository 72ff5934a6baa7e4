"""The words of people about the profile of a machine, and the last changes of its alarms.

A person says that a condition is normal, or that all is learnt again: fields of the machine's hash,
with the time (ms, server clock). The recorder follows them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vtox.motor.alarms.profile.values import CONDITIONS, Condition
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client, server_time_ms
from vtox.pipeline.store.stream.entries import number

_RESET, _NORMAL, _ORDER = "profile_reset_ms", "profile_normal_ms", "profile_order"


@dataclass(frozen=True, slots=True)
class ProfileWords:
    """Condition -> when a person called it normal; and when the profile was reset, ms."""

    accepted: Mapping[str, int] = field(default_factory=dict)
    reset_ms: int = 0


def call_normal(client: Client, machine_id: str, condition: str) -> None:
    """Note that a person says that a condition is normal: its levels are learnt."""
    client.hset(keys.machine(machine_id), f"{_NORMAL}:{condition}", server_time_ms(client))


def reset_profile(client: Client, machine_id: str) -> None:
    """Note that the profile of a machine is to be learnt again."""
    client.hset(keys.machine(machine_id), _RESET, server_time_ms(client))


def profile_words(client: Client, machine_ids: Sequence[str]) -> list[ProfileWords]:
    """Return the words about each machine."""
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.hmget(keys.machine(m), _RESET, *(f"{_NORMAL}:{c}" for c in CONDITIONS))
    return [
        ProfileWords({c: _ms(x) for c, x in zip(CONDITIONS, normal, strict=True) if x}, _ms(reset))
        for reset, *normal in (pipe.execute() if machine_ids else ())
    ]


def change_order(client: Client, machine_id: str, condition: Condition) -> int:
    """Return the order of the last change of a condition's alarm: it rises with each."""
    return _ms(client.hget(keys.machine(machine_id), f"{_ORDER}:{condition}"))


def note_change(client: Client, machine_id: str, condition: Condition, order: int) -> None:
    """Keep the order of a change that was made."""
    client.hset(keys.machine(machine_id), f"{_ORDER}:{condition}", order)


def _ms(text: bytes | None) -> int:
    return int(number(text) or 0)
