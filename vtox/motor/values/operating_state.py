"""The operating state of a machine within a record, and the codes by which diagnoses state it.

`vtox.motor.diagnosis.diagnosers.current.operation` finds it in the currents. A machine that is not
in a steady state is no fault: its diagnoses abstain, and its open alarms are suppressed by design
(`vtox.motor.alarms.health.alerts`).
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

# `switched`: switched on or off within the record; `ramp`: the supply frequency is on its way to
# another one; `unsteady`: it runs, at a load that changes.
OperatingState = Literal["standstill", "start", "run_down", "switched", "ramp", "unsteady"]
# Codes of abstentions that state the operating state of the machine, whatever the fault.
STATE_OF_CODE: Mapping[str, OperatingState] = MappingProxyType(
    {
        "motor_stands_still": "standstill",
        "motor_starts": "start",
        "motor_start_unfinished": "start",
        "motor_start_under_way": "start",
        "motor_start_throughout": "start",
        "motor_runs_down": "run_down",
        "switched_within_record": "switched",
        "supply_not_steady": "ramp",
        "current_not_steady": "unsteady",
    }
)
# A machine that runs at a changing load has its fault all the same: `unsteady` is not here. Nor is
# a code that may also mean a dead sensor or a locked rotor (`supply_not_found`,
# `current_far_above_rated`): it would hide a fault.
SUPPRESSING: frozenset[OperatingState] = frozenset(
    {"standstill", "start", "run_down", "switched", "ramp"}
)


def operating_state(codes: Iterable[str]) -> OperatingState | None:
    """Return the state that the codes of a record's diagnoses state; None if none does.

    Examples
    --------
    >>> operating_state(["missing_channel", "supply_not_steady"])
    'ramp'
    """
    return next((STATE_OF_CODE[c] for c in codes if c in STATE_OF_CODE), None)


def suppresses_alarms(code: str) -> bool:
    """Return whether a diagnosis of that code says that an open alarm means nothing now."""
    return operating_state([code]) in SUPPRESSING
