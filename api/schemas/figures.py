"""Shapes of the figures of the alarms."""

from pydantic import Field

from api.schemas.alarms import (
    Level,
)
from api.schemas.common import Number, ResponseModel, Time
from api.schemas.view import View
from vtox.motor.alarms.life import Outcome, State
from vtox.motor.alarms.promise import Verdict

ASSESSED = "hours in which machines were assessed, as days"
NO_MACHINE = "empty: an alarm of the system itself"


class AlarmsOfDay(ResponseModel):
    """One day, UTC."""

    day: str = Field(description="YYYY-MM-DD")
    alarms: int = Field(description="raised by faults, `silent` or `clock` of machines")
    system_alarms: int
    machine_days: float = Field(description=ASSESSED)


class AlarmsOfMachine(ResponseModel):
    """How many alarms one machine raised."""

    machine_id: str
    alarms: int
    machine_days: float = Field(description=ASSESSED)
    per_machine_day: Number = Field(description="null: it was not assessed")


class FrequentAlarm(ResponseModel):
    """An alarm that came often."""

    machine_id: str = Field(description=NO_MACHINE)
    fault: str
    alarms: int
    share: float = Field(description="of all alarms")


class StandingAlarm(View):
    """An alarm that is not cleared."""

    id: str
    machine_id: str = Field(description=NO_MACHINE)
    fault: str
    level: Level
    state: State
    raised: Time
    stands_s: float


class ChatteringAlarm(View):
    """An alarm that was raised three times or more in the time of 60 records of its fault."""

    machine_id: str = Field(description=NO_MACHINE)
    fault: str
    times: int = Field(description="in its worst stretch of `window_s`")
    window_s: float
    first: Time = Field(description="of that stretch")
    last: Time


class FalseAlarms(ResponseModel):
    """False alarms of faults, counted from outcomes, next to the promise."""

    verdict: Verdict
    code: str = Field(
        description="why: `less_than_promised`, `more_than_promised`, `outcomes_missing`, "
        "`too_few_machine_days`, `no_outcomes`, `no_machine_days`"
    )
    promised_per_machine_day: float
    alarms: int = Field(description="of faults, raised in this time")
    outcomes: dict[Outcome, int] = Field(description="the last one of each")
    undecided: int = Field(description="without outcome, or not inspected")
    machine_days: float = Field(description=ASSESSED)
    per_machine_day: Number = Field(description="of those known to be false; null: not known")
    low: Number = Field(description="exact 95 % interval of that rate")
    high: Number
    at_most: Number = Field(description="its upper end if all undecided alarms were false")


class AlarmFigures(ResponseModel):
    """Figures of all alarms that were raised in some days."""

    from_: Time = Field(alias="from")
    to: Time
    recorded_until: Time | None = Field(description="null: nothing is recorded yet")
    alarms: int = Field(description="of machines")
    system_alarms: int
    machine_days: float = Field(description=ASSESSED)
    per_machine_day: Number
    by_day: list[AlarmsOfDay]
    by_machine: list[AlarmsOfMachine] = Field(description="the 20 with most alarms")
    most_frequent: list[FrequentAlarm] = Field(description="at most 10")
    chattering: list[ChatteringAlarm] = Field(description="at most 20")
    standing: list[StandingAlarm] = Field(description="that stand now, at most 20, longest first")
    standing_for_a_day: int = Field(description="how many stand longer than 24 h")
    false_alarms: FalseAlarms
