"""Shapes of energy: present power, counts over a time, and why a value is not known."""

from typing import Annotated

from pydantic import Field

from api.schemas.common import Number, PlainName, ResponseModel, Time
from api.schemas.value_fields import After
from api.schemas.view import CODE, View
from vtox.motor.alarms.coverage.unlocks import Unlock
from vtox.motor.diagnosis.energy.better_class import ClassSaving
from vtox.motor.diagnosis.energy.changes import EnergyChange
from vtox.motor.values.domain import Reason
from vtox.reporting.history.energy import Cost
from vtox.reporting.history.starts import MotorStart


class EnergyReason(View, value=Reason, last="code values sentence what_to_do"):
    """Why power was not measured, or load and losses were not estimated."""

    unlock: Unlock


class EnergyReading(ResponseModel):
    """Power and load of the last record of a machine."""

    t: Time | None
    """end of the record"""
    figures: dict[str, float]
    """by name, the unit is the suffix, none is a ratio; `_half` is half the width of an interval
    that holds in 95 % of all cases; what is not known is absent"""
    power_unknown: EnergyReason | None
    """null: power was measured"""
    load_unknown: EnergyReason | None
    """null: load and losses were estimated"""


class EnergyCounts(ResponseModel):
    """Energy and hours of a time. Times without a measurement are missing, and never filled."""

    energy_kwh: Number
    """active energy at the terminals; null: in no hour was the power measured"""
    reactive_kvarh: Number
    """the same of reactive energy"""
    measured_h: float
    """hours of which the power was measured"""
    observed_h: float
    """hours of which it is known whether the motor ran"""
    running_h: float
    estimated_h: float
    """hours of which load and losses were estimated"""
    shaft_kwh: Number
    """of the estimated hours; null without any"""
    lost_kwh: Number
    """losses of the estimated hours: heat"""
    unbalance_kwh: Number
    """the part of it that unbalance of the supply added"""
    unbalance_w: Number
    """the same as mean over the estimated hours"""
    harmonic_kwh: Number
    """energy of harmonics, of the measured hours"""
    harmonic_w: Number
    """the same as mean over the measured hours"""
    mean_kw: Number
    """over the measured hours; null without any"""
    load_class_h: list[float]
    """running hours by load over rated load: below 20 %, to 40, 60, 80, 100 %, above"""
    starts: int


class EnergyCost(View, value=Cost):
    """Cost of energy, at the price of its time (setting `energy_price`)."""

    currency: Annotated[str, After("")]
    lost: Number
    """losses of the estimated hours: heat; null without any"""
    unbalance: Number
    """the part of it that unbalance of the supply added"""


class EnergySaving(View, value=ClassSaving):
    """Saving by a motor of the best class at the same work: an interval, no promise.

    It holds in 95 % of all cases, and includes zero if the two motors cannot be distinguished.
    """

    code: str = Field(description=CODE)
    sentence: str


class EnergyDifference(View, value=EnergyChange):
    """Change from the time of the same length just before, by means of the estimated hours.

    Intervals leave out the tolerance that both times share: they hold for the same motor,
    nameplate and instruments.
    """

    code: str = Field(description=CODE)
    sentence: str


class EnergyStep(ResponseModel):
    """Counts of one step, from a time on."""

    t: float
    """s since 1970 (UTC)"""
    counts: EnergyCounts


class MachineEnergy(ResponseModel):
    """Energy and operation of one machine."""

    machine_id: PlainName
    now: EnergyReading | None
    """null: no record has come yet"""
    meter: EnergyCounts
    """all that was counted on the server"""
    meter_since: Time | None
    from_t: float
    """of the steps, s since 1970 (UTC)"""
    to_t: float
    step_s: int
    hours: float
    """length of that time: `measured_h` of it was measured"""
    total: EnergyCounts
    """exact sum over that time, from the history"""
    cost: EnergyCost | None
    """of that time; null: energy has no price, or is not measured"""
    saving: EnergySaving
    change: EnergyDifference
    steps: list[EnergyStep]
    """without those in which nothing was counted"""


class EnergyOfMachine(ResponseModel):
    """Counts of one machine."""

    machine_id: PlainName
    site: str | None
    counts: EnergyCounts
    now_kw: Number
    """power of the last record; null if it is not known"""
    load_ratio: Number
    """shaft load over rated load of the last record"""
    efficiency: Number
    cost: EnergyCost | None
    """null: energy has no price, or is not measured"""
    saving: EnergySaving
    code: str
    """why a value of the last record is not known; else empty"""


class FleetEnergy(ResponseModel):
    """Energy of the fleet, by machine and by day."""

    from_t: float
    """s since 1970 (UTC)"""
    to_t: float
    hours: float
    """length of that time, of one machine"""
    measured_machines: int
    """machines whose power was measured in that time"""
    has_price: bool
    """whether the setting `energy_price` gives one"""
    total: EnergyCounts
    """of the measured machines"""
    cost: EnergyCost | None
    """of the measured machines; null: energy has no price, or none is measured"""
    machines: list[EnergyOfMachine]
    """by energy, the largest first"""
    days: list[EnergyStep]
    """of all machines, by day of UTC"""


class MotorStartShape(View, value=MotorStart, without="energy_j"):
    """One start; null: its records do not show it."""

    energy_kwh: Number
    """energy taken at the terminals, if the wiring is proven"""


class MachineStarts(ResponseModel):
    """Starts of one machine."""

    machine_id: PlainName
    from_t: float
    """s since 1970 (UTC)"""
    to_t: float
    most_in_an_hour: int
    """the largest number within any hour of that time"""
    max_starts_per_hour: Number
    """limit of the nameplate; null: not given"""
    starts: list[MotorStartShape]
    """the latest first"""
