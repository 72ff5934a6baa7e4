"""Why an asymmetry below its limit is not `normal`: the limit is too high to say so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vtox.diagnosers.turn_short.asymmetry_excess import DECISIVE_LIMIT
from vtox.domain import Motor, Reason, reason


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the diagnosis of one recording rests on.

    `baseline_problem` says why no baseline applies, `voltage_problem` why voltages that were
    measured are not used. Ratios are over I1, as in `AsymmetryExcess`: `raw_ratio` |I2|/I1,
    `limit_ratio` the limit at the frame farthest over it, `limited_by` its name, `median_limit`
    and `steady_limit` that of the record, and as it would be if frames scattered little.
    """

    motor: Motor
    baseline_problem: Reason | None
    voltage_problem: Reason | None
    raw_ratio: float
    limit_ratio: float
    median_limit: float
    steady_limit: float
    limited_by: str


def indecision(g: Grounds) -> tuple[Reason, ...]:
    """Return why the limit is too high for `normal`, empty where it is not: code, then doubts."""
    if g.median_limit <= DECISIVE_LIMIT:
        return ()
    why = next(r for rule in RULES if (r := rule(g)))
    return (why, *_level_alone(g)) if why is g.baseline_problem else (why,)


def _voltages_not_usable(g: Grounds) -> Reason | None:
    return g.voltage_problem


def _asymmetry_not_steady(g: Grounds) -> Reason | None:
    if g.steady_limit > DECISIVE_LIMIT:
        return None
    return reason("asymmetry_not_steady", limit_ratio=g.limit_ratio)


def _no_baseline_applies(g: Grounds) -> Reason | None:
    return g.baseline_problem


def _supply_not_excluded(g: Grounds) -> Reason | None:
    if g.limited_by != "supply":
        return None
    return reason("supply_not_excluded", limit_ratio=g.limit_ratio)


def _baseline_too_uncertain(g: Grounds) -> Reason | None:
    return reason("baseline_too_uncertain", limit_ratio=g.limit_ratio)


# The first that applies is the reason; the last always does.
RULES: Sequence[Callable[[Grounds], Reason | None]] = (
    _voltages_not_usable,
    _asymmetry_not_steady,
    _no_baseline_applies,
    _supply_not_excluded,
    _baseline_too_uncertain,
)


def _level_alone(g: Grounds) -> tuple[Reason, ...]:
    """Return why |I2|/I1 does not decide without a baseline."""
    level = reason("supply_and_clamps_not_excluded", ratio=g.raw_ratio, limit_ratio=g.limit_ratio)
    motor = g.motor
    rated = motor.rated_current_a or (motor.rated_power_w and motor.rated_voltage_v)
    return (level,) if rated else (level, reason("rated_current_unknown"))
