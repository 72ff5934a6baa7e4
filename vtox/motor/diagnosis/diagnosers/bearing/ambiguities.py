"""Other causes of a comb at a defect order: lines of the shaft or the supply, an uncertain speed.

Evaluated after combs were compared with surrogates.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vtox.motor.diagnosis.diagnosers.bearing.envelope_views import EnvelopeViews
from vtox.motor.diagnosis.diagnosers.bearing.search_setup import (
    MIN_TURNS_FOR_BEARING_CAGE,
    SearchSetup,
)
from vtox.motor.diagnosis.diagnosers.bearing.severity import FAULT_CONFIDENCE
from vtox.motor.diagnosis.diagnosers.bearing.shaft_speed import Speed
from vtox.motor.diagnosis.diagnosers.bearing.shaft_vibration import MIN_HALF_ORDER_LINES
from vtox.motor.diagnosis.diagnosers.current.pole_pairs import LARGEST_SLIP
from vtox.motor.diagnosis.dsp import comb_plan
from vtox.motor.diagnosis.dsp.comb_plan import Plan
from vtox.motor.diagnosis.dsp.surrogates import Finding
from vtox.motor.values.arrays import Float32, Float64
from vtox.motor.values.domain import Reason, reason

# Relative error of a speed from which the search is wide: it is then one among the lines of a shaft
# of uncertain speed.
WIDE_TOLERANCE = 0.01
# Twice the supply frequency and its double, which a drive moves with the speed; it errs by as much
# as the speed moves within the record.
MOVING_MULTIPLES, MOVING_TOLERANCE = (2, 4), 0.02
# Relative error of the order of a neighbouring shaft, as counted from teeth; and how many of its
# multiples above the comb are looked at.
NEIGHBOUR_TOLERANCE, NEIGHBOUR_MULTIPLES = 0.001, 4
# Multiples of the supply frequency that are compared with a comb. Pulses of a rectifier come six
# times a period, and a comb may be at every multiple up to the eighth.
SUPPLY_MULTIPLES = np.arange(1.0, 9.0)
# Highest half order at which a comb may be one of looseness or a rub.
MAX_LOOSENESS_ORDER = 4.0
# Factor on the confidence if all orders of a wide range were searched.
WIDE_SEARCH_PENALTY = 0.8


@dataclass(frozen=True, slots=True)
class Ambiguities:
    """Doubts that weaken a diagnosis, and the factor on its confidence."""

    doubts: tuple[Reason, ...]
    confidence_penalty: float


def ambiguities_of(
    setup: SearchSetup, plan: Plan, defect: str, finding: Finding, speed: Speed
) -> Ambiguities:
    """Return the doubts about a diagnosis whose leading comb is that of a defect."""
    doubts, penalty = [], 1.0
    if plan.masked_targets:
        doubts.append(reason("orders_masked", defects=plan.masked_targets))
    # Fans, pumps and couplings make impacts at multiples of shaft speed: a comb that the speed does
    # not distinguish from them is a warning at most.
    if finding.ratio >= 1 and _may_be_whole(finding.order, plan, speed):
        doubts.append(reason("blades_or_coupling", impacts_per_turn=round(finding.order)))
        penalty *= FAULT_CONFIDENCE
    if speed.tolerance > WIDE_TOLERANCE:
        doubts.append(reason("speed_uncertain", tolerance=speed.tolerance))
        penalty *= WIDE_SEARCH_PENALTY
    pairs = setup.motor.pole_pairs
    if (
        pairs
        and not setup.motor_supply_hz
        and 1 <= setup.orders[defect] / (2 * pairs) < 1 + LARGEST_SLIP
    ):
        doubts.append(reason("supply_frequency_unknown", defect=defect))
        penalty *= FAULT_CONFIDENCE
    bearing = setup.motor.bearing
    if bearing and "FTF" not in setup.orders and "FTF" in bearing.defect_orders:
        needed_turns = MIN_TURNS_FOR_BEARING_CAGE
        doubts.append(reason("bearing_cage_not_searched", needed_turns=needed_turns))
    return Ambiguities(tuple(doubts), penalty)


def defects_at_whole_orders(
    findings: Mapping[str, Finding], plan: Plan, speed: Speed
) -> tuple[str, ...]:
    """Return the defects whose comb is found, and is the shaft's if the speed errs so much."""
    found = (n for n, f in findings.items() if f.ratio >= 1)
    return tuple(n for n in found if _may_be_whole(findings[n].order, plan, speed))


def masked_defects(views: EnvelopeViews, plan: Plan, speed: Speed) -> Reason | None:
    """Return the damage that the lines at masked orders may be, or None if there are none.

    All three harmonics count, in one view.
    """
    defects = []
    for defect in views.setup.orders:
        own = plan.spans[defect]
        bins = plan.candidate_bins[: comb_plan.HARMONICS, own][:, plan.masked[own]]
        if bins.size and (views.lines.take(bins, axis=1) > plan.line_cap).all(axis=1).any():
            defects.append(defect)
    if not defects:
        return None
    return _lines_at_masked_orders(tuple(defects), speed)


def masked_by_moving_drive(
    setup: SearchSetup, findings: Mapping[str, Finding], speed: Speed
) -> Reason | None:
    """Return the combs that may be the pull of a drive whose frequency moves, None if none.

    The plan masks lines of the supply if they do not move; these move with the shaft, a slip
    above the order of the poles.
    """
    pairs, supply_hz = setup.motor.pole_pairs, setup.supply_hz
    if setup.motor.supply != "inverter" or not setup.moving or not (pairs or supply_hz):
        return None
    if supply_hz:
        lowest, highest = (supply_hz / speed.hz * (1 + s * MOVING_TOLERANCE) for s in (-1, 1))
    else:
        assert pairs
        lowest, highest = float(pairs), pairs * (1 + LARGEST_SLIP)
    masked = tuple(
        n
        for n, f in findings.items()
        if f.ratio >= 1 and any(k * lowest <= f.order <= k * highest for k in MOVING_MULTIPLES)
    )
    return _lines_at_masked_orders(masked, speed) if masked else None


def _lines_at_masked_orders(defects: tuple[str, ...], speed: Speed) -> Reason:
    return reason(
        "lines_at_masked_orders", defects=defects, speed_rpm=speed.rpm, speed_source=speed.source
    )


def shaft_or_bearing(
    findings: Mapping[str, Finding], speed: Speed, lines_speed: Speed
) -> Reason | None:
    """Return the reason if combs are the bearing's at one speed and the shaft's at another.

    Parameters
    ----------
    findings : mapping of Finding
        At `speed`.
    speed, lines_speed : Speed
        As reported, and as shaft lines have it.
    """
    orders = {n: f.order for n, f in findings.items() if f.ratio >= 1}
    if not orders:
        return None
    whole = {max(1, round(order * speed.hz / lines_speed.hz)) for order in orders.values()}
    return reason(
        "shaft_or_bearing",
        defects=tuple(orders),
        speed_rpm=speed.rpm,
        speed_source=speed.source,
        impacts_per_turn=tuple(str(n) for n in sorted(whole)),
        shaft_lines_rpm=lines_speed.rpm,
    )


def dominant_supply_hz(
    views: EnvelopeViews, plan: Plan, finding: Finding, speed: Speed
) -> float | None:
    """Return the supply frequency whose lines exceed those of a comb in its view, Hz, or None.

    Pulses and pull of the supply, modulated by the shaft, by slots or by elements, have lines at
    k*f +- m*f_shaft and others. These are below the lines at k*f; lines of a race are not.
    """
    lines = views.lines[finding.view]
    fundamental = finding.order / plan.df_order
    strongest = _highest(lines, fundamental * np.arange(1.0, comb_plan.HARMONICS + 1))
    for hz in _supplies_hz(views, finding.order * speed.hz, speed):
        multiples = SUPPLY_MULTIPLES * (hz / views.df_hz)
        shaft = multiples * plan.df_order
        distinct = np.abs(shaft - np.rint(shaft)) > plan.df_order * 2 * comb_plan.LOBE_BINS
        comb = multiples / fundamental
        distinct &= np.abs(comb - np.rint(comb)) * fundamental > 2 * comb_plan.LOBE_BINS
        if _highest(lines, multiples[distinct]) > strongest:
            return hz
    return None


def dominant_neighbour(
    views: EnvelopeViews, plan: Plan, finding: Finding
) -> tuple[float, int] | None:
    """Return the shaft of the nameplate that makes a comb, as order and multiple, or None.

    Other lines of that shaft, in the view of the comb, are at least as high as those of the comb.
    Lines of a damaged race are higher than the lines of a wheel that they happen to meet.
    """
    lines, unit = views.lines[finding.view], plan.df_order
    strongest = _highest(lines, finding.order / unit * np.arange(1.0, comb_plan.HARMONICS + 1))
    for order in views.setup.motor.other_shafts:
        multiple = max(1, round(finding.order / order))
        if abs(finding.order - multiple * order) > unit + NEIGHBOUR_TOLERANCE * finding.order:
            continue
        of_shaft = np.arange(1.0, comb_plan.HARMONICS * multiple + NEIGHBOUR_MULTIPLES) * order
        distinct = np.abs(of_shaft - np.rint(of_shaft)) > 2 * comb_plan.LOBE_BINS * unit
        of_comb = of_shaft / finding.order
        distinct &= np.abs(of_comb - np.rint(of_comb)) * finding.order > comb_plan.LOBE_BINS * unit
        if multiple == 1 or _highest(lines, of_shaft[distinct] / unit) >= strongest:
            return order, multiple
    return None


def _highest(lines: Float32, at: Float64) -> float:
    """Return the highest of some lines, to a bin, 0 if none lies in the spectrum."""
    bins = np.add.outer(np.rint(at).astype(np.intp), (-1, 0, 1))
    bins = bins[(bins > 0) & (bins < len(lines))]
    return float(lines[bins].max(initial=0.0))


def _supplies_hz(views: EnvelopeViews, comb_hz: float, speed: Speed) -> list[float]:
    """Return the supply frequencies, behind a drive also those of which a comb is a multiple."""
    setup = views.setup
    supplies = list(setup.mains_hz)
    if setup.motor.pole_pairs and not setup.motor_supply_hz:
        synchronous = comb_hz / SUPPLY_MULTIPLES / (speed.hz * setup.motor.pole_pairs)
        possible = (synchronous >= 1) & (synchronous < 1 + LARGEST_SLIP)
        supplies += (comb_hz / SUPPLY_MULTIPLES[possible]).tolist()
    return supplies


def _may_be_whole(order: float, plan: Plan, speed: Speed) -> bool:
    """Return whether an order may be a multiple of the shaft's, within comb and speed tolerance."""
    whole = max(1, round(order))
    return abs(order - whole) <= whole * speed.tolerance + plan.order(1)


def are_half_orders(rows: Float32, plan: Plan, finding: Finding) -> bool:
    """Return whether a comb is at an odd half order, with lines at others.

    At low orders only, and to the width of a line: a race lies near a half order in every second
    bearing.
    """
    halves = round(2 * finding.order)
    tolerance = plan.order(1) + comb_plan.MASK_TOLERANCE * finding.order
    apart = abs(finding.order - halves / 2) > tolerance
    if finding.order > MAX_LOOSENESS_ORDER or halves % 2 == 0 or apart:
        return False
    others = [n for n in range(1, 2 * halves, 2) if n not in (halves, 3 * halves)]
    bins = [round(n / halves * finding.order / plan.df_order) for n in others]
    lines = rows[:, finding.view].take(bins, mode="clip")
    return int((lines > plan.line_cap).sum()) >= MIN_HALF_ORDER_LINES
