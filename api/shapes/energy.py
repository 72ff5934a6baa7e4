"""Counts and readings of energy as the shapes of the API: kWh and hours from whole J and ms."""

from collections.abc import Mapping
from typing import Any

from api.http.explanation import sentence
from api.schemas.common import rfc3339
from api.schemas.energy import (
    EnergyCost,
    EnergyCounts,
    EnergyDifference,
    EnergyReading,
    EnergyReason,
    EnergySaving,
    MotorStartShape,
)
from vtox.motor.alarms.coverage.unlocks import unlock
from vtox.motor.diagnosis.energy.better_class import class_saving
from vtox.motor.diagnosis.energy.changes import energy_change
from vtox.motor.values.domain import Motor, Reason
from vtox.motor.values.energy import MeterCounts, in_hours, in_kwh, measured_kwh
from vtox.pipeline.store.machines.energy import Meter
from vtox.reporting.history.energy import Cost
from vtox.reporting.history.starts import MotorStart


def counts_shape(c: MeterCounts) -> EnergyCounts:
    """Return counts in kWh and hours."""
    return EnergyCounts(
        energy_kwh=measured_kwh(c.energy_j, c.powered_ms),
        reactive_kvarh=measured_kwh(c.reactive_vars, c.powered_ms),
        measured_h=in_hours(c.powered_ms),
        observed_h=in_hours(c.observed_ms),
        running_h=in_hours(c.running_ms),
        estimated_h=in_hours(c.estimated_ms),
        shaft_kwh=measured_kwh(c.shaft_j, c.estimated_ms),
        lost_kwh=measured_kwh(c.lost_j, c.estimated_ms),
        unbalance_kwh=measured_kwh(c.unbalance_j, c.estimated_ms),
        unbalance_w=c.mean_w(c.unbalance_j, c.estimated_ms),
        harmonic_kwh=measured_kwh(c.harmonic_j, c.powered_ms),
        harmonic_w=c.mean_w(c.harmonic_j, c.powered_ms),
        mean_kw=c.mean_kw,
        load_class_h=[in_hours(ms) for ms in c.classes_ms],
        starts=c.starts,
    )


def reading_shape(meter: Meter) -> EnergyReading | None:
    """Return the last reading of a machine, None if there is none."""
    r = meter.reading
    if r is None:
        return None
    return EnergyReading(
        t=rfc3339(meter.reading_t),
        figures=dict(r.figures),
        power_unknown=_reason(r.power_code, r.power_values),
        load_unknown=_reason(r.load_code, r.load_values),
    )


def cost_shape(cost: Cost | None, currency: str, counts: MeterCounts) -> EnergyCost | None:
    """Return the cost of energy, None if it has no price or was not measured."""
    if cost is None or not counts.powered_ms:
        return None
    unknown = {} if counts.estimated_ms else {"lost": None, "unbalance": None}
    return EnergyCost.of(cost, currency=currency, **unknown)


def saving_shape(motor: Motor | None, counts: MeterCounts) -> EnergySaving:
    """Return the saving that a motor of the best class would have made."""
    found = class_saving(motor, counts)
    return EnergySaving.of(found, sentence=sentence(found.code, {}) if found.code else "")


def change_shape(motor: Motor | None, before: MeterCounts, after: MeterCounts) -> EnergyDifference:
    """Return the change from the counts of one time to those of another."""
    found = energy_change(motor, before, after)
    return EnergyDifference.of(found, sentence=sentence(found.code, {}) if found.code else "")


def _reason(code: str, values: Mapping[str, Any]) -> EnergyReason | None:
    if not code:
        return None
    return EnergyReason.of(Reason(code, values), unlock=unlock(code))


def start_shape(start: MotorStart, *, wired: bool) -> MotorStartShape:
    """Return a start; its energy only if currents and voltages are known to be `wired` rightly."""
    joules = start.energy_j if wired else None
    kwh = None if joules is None or joules < 0 else in_kwh(joules)
    return MotorStartShape.of(start, energy_kwh=kwh)
