"""The status of a machine by NAMUR NE 107, as control rooms read it: the one home of this mapping.

Each fault has a status; that of the machine is the one which comes first in `STATUSES`. Pure.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from vtox.motor.alarms.coverage.unlocks import Unlock, unlock
from vtox.motor.alarms.health.assessment import Assessment, FaultAssessment

Status = Literal[
    "failure", "maintenance_required", "check_function", "out_of_specification", "normal"
]
# The first status decides: findings on the motor are said before the causes that hide them.
STATUSES: tuple[Status, ...] = get_args(Status)
# Why a fault is not decided: an item to check, or how the machine is run. For want of a
# nameplate or a baseline, or if causes cannot be distinguished, there is nothing to check.
_CHECK: frozenset[Unlock] = frozenset({"channel", "wiring", "record", "rate", "noise", "windows"})
_OPERATION: frozenset[Unlock] = frozenset({"load", "speed", "steadiness"})
# Load or supply out of the range of the nameplate.
_OUT_OF_RANGE = frozenset(
    {
        "current_far_above_rated",
        "current_far_below_rated",
        "supply_off_nameplate",
        "voltage_off_nameplate",
    }
)


@dataclass(frozen=True, slots=True)
class _Ne107:
    """A status, and the fault and code that it rests on; both are empty if all is normal."""

    status: Status
    fault: str = ""
    code: str = ""


def ne107(health: Assessment | None, *, silent: bool = False) -> _Ne107:
    """Return the status of a machine.

    One of which nothing is decided, or that sends nothing, needs its function checked unless a
    warning or a fault is open.

    >>> ne107(None).status, ne107(None).code
    ('check_function', 'no_diagnosis_yet')
    """
    found = [_of_fault(name, f) for name, f in (health.faults if health else {}).items()]
    if silent:
        found.append(_Ne107("check_function", "", "machine_silent"))
    elif health is None or health.state == "unknown":
        found.append(_undecided(found))
    return min(found, key=lambda n: STATUSES.index(n.status), default=_Ne107("normal"))


def _of_fault(name: str, f: FaultAssessment) -> _Ne107:
    if f.state == "fault":
        return _Ne107("failure", name, f.why.code)
    if f.state == "warning":
        return _Ne107("maintenance_required", name, f.why.code)
    if f.state == "normal" and f.last != "unknown":
        return _Ne107("normal")
    if f.code in _OUT_OF_RANGE or unlock(f.code) in _OPERATION:
        return _Ne107("out_of_specification", name, f.code)
    return _Ne107("check_function", name, f.code) if unlock(f.code) in _CHECK else _Ne107("normal")


def _undecided(found: list[_Ne107]) -> _Ne107:
    """Return the status of a machine of which nothing is decided: never normal."""
    known = [n for n in found if n.status != "normal"]
    return known[0] if known else _Ne107("check_function", "", "no_diagnosis_yet")
