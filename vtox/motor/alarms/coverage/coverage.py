"""Whether each fault of a machine is watched, from the codes of its latest diagnoses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from vtox.motor.alarms.coverage.unlocks import Unlock, unlock
from vtox.motor.faults import FAULTS
from vtox.motor.values.domain import Reason, State, reason

Status = Literal["watched", "blind"]


@dataclass(frozen=True, slots=True)
class LatestState:
    """State of the latest diagnosis of a fault, and why."""

    state: State
    why: Reason


@dataclass(frozen=True, slots=True)
class FaultCoverage:
    """One fault of a machine; `why` is the code of its latest diagnosis, or why there is none."""

    fault: str
    status: Status
    """watched if the latest record decided, else blind"""
    state: State
    """state of the latest diagnosis; unknown if blind"""
    why: Reason
    unlock: Unlock | None
    """condition that would make the diagnosis possible; null if it is watched"""


def coverage(latest: Mapping[str, LatestState], *, silent: bool) -> list[FaultCoverage]:
    """Return the coverage of each fault, in the order of `vtox.motor.faults.FAULTS`.

    Parameters
    ----------
    latest : mapping of fault to LatestState
        The machine's latest diagnoses; faults that were never diagnosed are absent.
    silent : bool
        Whether the machine has stopped sending: then nothing is watched, even if something was
        found.
    """
    return [_of_fault(fault, latest.get(fault), silent) for fault in FAULTS]


def _of_fault(fault: str, latest: LatestState | None, silent: bool) -> FaultCoverage:
    if latest is not None and latest.state != "unknown" and not silent:
        return FaultCoverage(fault, "watched", latest.state, latest.why, None)
    if silent:
        why = reason("machine_silent")
    elif latest is None:
        why = reason("no_diagnosis_yet")
    else:
        why = latest.why
    return FaultCoverage(fault, "blind", "unknown", why, unlock(why.code))
