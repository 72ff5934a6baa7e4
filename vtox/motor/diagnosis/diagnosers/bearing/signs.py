"""Signs of a bearing in a record, as one value; each finding decides how the search goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vtox.motor.diagnosis.diagnosers.bearing.ambiguities import (
    are_half_orders,
    defects_at_whole_orders,
    dominant_neighbour,
    dominant_supply_hz,
    masked_by_moving_drive,
    masked_defects,
    shaft_or_bearing,
)
from vtox.motor.diagnosis.diagnosers.bearing.aperiodic_impacts import (
    AperiodicImpacts,
    find_aperiodic_impacts,
)
from vtox.motor.diagnosis.diagnosers.bearing.cage_frequency import has_element_sidebands
from vtox.motor.diagnosis.diagnosers.bearing.envelope_views import (
    EnvelopeViews,
    analyse_envelopes,
)
from vtox.motor.diagnosis.diagnosers.bearing.lagging_elements import (
    LaggingElements,
    lagging_elements,
)
from vtox.motor.diagnosis.diagnosers.bearing.leading_comb import LeadingComb, leading_comb
from vtox.motor.diagnosis.diagnosers.bearing.search import CombSearch, search_combs
from vtox.motor.diagnosis.diagnosers.bearing.severity import WARNING_MODULATION
from vtox.motor.diagnosis.diagnosers.bearing.shaft_speed import (
    MAX_REPORTING_ERROR,
    SENSOR_TOLERANCE,
    SHAFT_MULTIPLES,
    Speed,
    refine_speed,
    speed_contradicted_by_lines,
)
from vtox.motor.diagnosis.diagnosers.bearing.shaft_vibration import shaft_vibrations
from vtox.motor.diagnosis.diagnosers.bearing.smeared_lines import smeared_lines
from vtox.motor.diagnosis.diagnosers.bearing.unassigned_comb import (
    UnassignedComb,
    find_unassigned_comb,
)
from vtox.motor.diagnosis.dsp import comb_plan
from vtox.motor.diagnosis.dsp.comb_plan import BEARING_CAGE, SHAFT, Plan
from vtox.motor.diagnosis.dsp.surrogates import Finding
from vtox.motor.values.arrays import Float32
from vtox.motor.values.domain import Reason


@dataclass(frozen=True, slots=True)
class Signs:
    """Signs of a bearing in a record, after its combs were compared with surrogates."""

    search: CombSearch
    #: Orders of the combs searched, by defect.
    orders: Mapping[str, float]
    #: None if the bearing is unknown.
    leading: LeadingComb | None
    #: Why lines found may be the bearing's or the shaft's.
    ambiguity: Reason | None = None
    unassigned: UnassignedComb | None = None
    aperiodic: AperiodicImpacts | None = None
    #: If only the bearing cage is found: damage that the lines at masked orders may be.
    masked: Reason | None = None
    #: If only the bearing cage is found: sidebands lie around masked lines of an element.
    element_sidebands: bool = False
    #: The part whose comb was found only as the elements lag.
    lagging: LaggingElements | None = None
    #: Lines are at half orders about the leading comb, which is at one.
    half_orders: bool = False
    #: Supply frequency whose lines exceed those of the leading comb in its view.
    supply_hz: float | None = None
    #: The shaft of the nameplate with the leading comb among its lines: its order, the multiple.
    neighbour: tuple[float, int] | None = None
    #: Power is spread about a defect order, as by a moving speed.
    smeared: Reason | None = None
    #: Pattern of the shaft lines, if no comb of the bearing is found.
    shaft: Reason | None = None

    @property
    def only_bearing_cage(self) -> bool:
        """Whether the bearing cage's is the only comb found."""
        return self.search.only_bearing_cage

    @property
    def shows_nothing(self) -> bool:
        """Whether neither a comb nor any other sign of damage or doubt is found."""
        strong = self.unassigned is not None and self.unassigned.strong
        return not (
            self.search.detected or self.ambiguity or strong or self.aperiodic or self.smeared
        )


def gather_signs(
    views: Sequence[EnvelopeViews], shafts: Mapping[int, Reason | None]
) -> list[Signs]:
    """Return the signs of each record; the records are of one layout and shape.

    `shafts`: pattern of the shaft lines of each record at its speed, by the index of its setup.
    """
    searches = search_combs(views, map(_initial_speed, views))
    found = []
    for own, search in zip(views, searches, strict=True):
        signs = _signs(own, search)
        found.append(_finer_signs(own, signs) or signs)
    at_another_speed = []
    for i, e in enumerate(found):
        if not e.shows_nothing:
            continue
        setup = views[i].setup
        if e.search.speed != setup.speed:
            at_another_speed.append(i)
        elif shaft := shafts[setup.index]:
            found[i] = replace(e, shaft=shaft)
    others = shaft_vibrations(
        [views[i].setup for i in at_another_speed],
        [found[i].search.speed for i in at_another_speed],
    )
    for i, shaft in zip(at_another_speed, others, strict=True):
        if shaft:
            found[i] = replace(found[i], shaft=shaft)
    return found


def _finer_signs(views: EnvelopeViews, signs: Signs) -> Signs | None:
    """Return the signs at the resolution of the whole record if that finds a comb.

    Only if lines at masked orders leave open whose they are, at the speed that was settled.
    """
    masked = signs.ambiguity is not None and signs.ambiguity.code == "lines_at_masked_orders"
    if not masked or views.segments == 1:
        return None
    ((finer,),) = analyse_envelopes([replace(views.setup, whole=True)])
    (search,) = search_combs([finer], [signs.search.speed])
    found = _signs(finer, search)
    return found if found.search.detected and found.ambiguity is None else None


def _signs(views: EnvelopeViews, search: CombSearch) -> Signs:
    search, ambiguity = _at_settled_speed(views, search)
    leading = leading_comb(views, search)
    if search.detected:
        return _with_comb(search, leading, views)
    return _without_comb(search, leading, views, ambiguity)


def _at_settled_speed(views: EnvelopeViews, search: CombSearch) -> tuple[CombSearch, Reason | None]:
    """Search again if shaft lines correct the speed; return why lines may be of either too."""
    masked = _masked_defects(views, search)
    speed = _speed_from_shaft_lines(views, search, masked is not None)
    if speed == search.speed:
        return search, masked
    ambiguity = shaft_or_bearing(search.findings, search.speed, speed)
    (search,) = search_combs([views], [speed])
    return search, ambiguity or _masked_defects(views, search)


def _with_comb(search: CombSearch, leading: LeadingComb | None, views: EnvelopeViews) -> Signs:
    """Return the signs of a record with a comb of its bearing."""
    signs = Signs(search, views.setup.orders, leading)
    if of_drive := masked_by_moving_drive(views.setup, search.findings, search.speed):
        return replace(signs, ambiguity=of_drive)
    if leading:
        hz = dominant_supply_hz(views, search.plan, leading.finding, search.speed)
        neighbour = dominant_neighbour(views, search.plan, leading.finding)
        signs = replace(signs, supply_hz=hz, neighbour=neighbour)
    if signs.only_bearing_cage:
        return _with_bearing_cage_alone(signs, views)
    if settled := _race_of_lagging_elements(signs, views):
        return settled
    of_looseness = leading and are_half_orders(search.rows, search.plan, leading.finding)
    return replace(signs, half_orders=True) if of_looseness else signs


def _masked_defects(views: EnvelopeViews, search: CombSearch) -> Reason | None:
    """Return the damage that the lines at masked orders may be, if no comb is found."""
    if search.detected or not search.may_be_masked:
        return None
    return masked_defects(views, search.plan, search.speed)


def _without_comb(
    search: CombSearch, leading: LeadingComb | None, views: EnvelopeViews, ambiguity: Reason | None
) -> Signs:
    """Return the signs of a record without a comb of its bearing."""
    orders = views.setup.orders
    if ambiguity:
        return Signs(search, orders, leading, ambiguity)
    unassigned = None
    if search.may_hold_impacts:
        unassigned = find_unassigned_comb(search.rows, search.plan, views, search.speed)
    if unassigned and (of_part := _lagging_signs(search, views, unassigned)):
        return of_part
    strong = unassigned is not None and unassigned.strong
    aperiodic = None if strong else find_aperiodic_impacts(views)
    smeared = None
    if search.may_be_smeared and not (strong or aperiodic):
        smeared = smeared_lines(search.rows, search.plan, views)
    return Signs(
        search, orders, leading, unassigned=unassigned, aperiodic=aperiodic, smeared=smeared
    )


def _lagging_signs(
    search: CombSearch, views: EnvelopeViews, unassigned: UnassignedComb
) -> Signs | None:
    """Return the signs with the comb found as that of a part whose elements lag, if it fits."""
    finding, setup = unassigned.finding, views.setup
    if finding is None:
        return None
    lagging = lagging_elements(finding.order, setup.orders, setup.bearing_cage_order)
    if lagging is None:
        return None
    search = replace(search, findings={**search.findings, lagging.defect: finding})
    leading = leading_comb(views, search)
    if leading is None or leading.modulation < WARNING_MODULATION:
        return None
    return Signs(search, setup.orders, leading, lagging=lagging)


def _race_of_lagging_elements(signs: Signs, views: EnvelopeViews) -> Signs | None:
    """Return the reason if the comb of an element is the inner race's, or may be.

    The inner race turns through the load zone with the shaft, an element with the bearing cage:
    the stronger sidebands decide, and both are named.
    """
    search, setup = signs.search, views.setup
    if signs.leading is None or signs.leading.defect != "BSF" or "BPFI" not in setup.orders:
        return None
    finding = signs.leading.finding
    race = {"BPFI": setup.orders["BPFI"]}
    lagging = lagging_elements(finding.order, race, setup.bearing_cage_order)
    if lagging is None:
        return None
    shaft, cage = (_sideband_level(search, finding, kind) for kind in (SHAFT, BEARING_CAGE))
    both = replace(lagging, defects=("BPFI", "BSF"))
    if shaft <= cage:
        return replace(signs, lagging=replace(both, defect="BSF"))
    findings = {**search.findings, "BPFI": finding}
    del findings["BSF"]
    search = replace(search, findings=findings)
    return replace(signs, search=search, leading=leading_comb(views, search), lagging=both)


def _sideband_level(search: CombSearch, finding: Finding, kind: str) -> float:
    """Return the power of a comb's sidebands of a kind, over the most that a line counts."""
    bins = comb_plan.comb_bins(np.array([finding.number]), search.plan.shifts[kind])
    lines = search.rows[:, finding.view].take(bins[comb_plan.HARMONICS :, 0], mode="clip")
    return float(lines.sum())


def _with_bearing_cage_alone(signs: Signs, views: EnvelopeViews) -> Signs:
    """Return the signs of a record in which only the bearing cage's comb is found."""
    search, element = signs.search, signs.orders.get("BSF")
    cage_order = search.findings["FTF"].order
    return replace(
        signs,
        aperiodic=find_aperiodic_impacts(views),
        masked=masked_defects(views, search.plan, search.speed),
        element_sidebands=element is not None
        and has_element_sidebands(search.rows, search.plan, element, cage_order),
    )


def _initial_speed(views: EnvelopeViews) -> Speed:
    """Return the speed to search at first: as measured, or refined.

    Refined at once, a measured speed would follow the lines of a race to the shaft order that is
    nearest: 6203, BPFI 4.95.
    """
    speed = views.setup.speed
    return speed if speed.tolerance <= SENSOR_TOLERANCE else _refined_speed(views)


def _refined_speed(views: EnvelopeViews) -> Speed:
    setup = views.setup
    return refine_speed(setup.speed, views.lines, views.df_hz, setup.magnetic_pull_hz)


def _speed_from_shaft_lines(views: EnvelopeViews, search: CombSearch, masked: bool) -> Speed:
    """Return the speed of the shaft lines if the result depends on it, else that searched at.

    It does if a comb found, or lines at `masked` orders, would be the shaft's if the speed erred
    by as much as a reported speed may.
    """
    findings, plan, speed = search.findings, search.plan, search.speed
    if not (masked or search.detected):
        return speed
    misreported = replace(speed, tolerance=max(speed.tolerance, MAX_REPORTING_ERROR))
    if not (masked or defects_at_whole_orders(findings, plan, misreported)):
        return speed
    if speed.tolerance <= SENSOR_TOLERANCE:
        shaft_lines = _mask_found_combs(search.detected, views, plan)
        corrected = speed_contradicted_by_lines(
            speed, shaft_lines, views.df_hz, views.setup.magnetic_pull_hz
        )
        if corrected:
            return corrected
    # A comb that is the shaft's within the tolerance of the sensor: the shaft lines decide.
    return _refined_speed(views) if defects_at_whole_orders(findings, plan, speed) else speed


def _mask_found_combs(found: Sequence[Finding], views: EnvelopeViews, plan: Plan) -> Float32:
    """Return the first shaft lines without those of the combs found and their smear.

    The mean of all views, shape (1, bins).
    """
    orders = (1 + MAX_REPORTING_ERROR) * SHAFT_MULTIPLES
    stop = round(orders / plan.df_order) + comb_plan.LOBE_BINS
    mean: Float32 = views.lines[:, :stop].mean(axis=0, keepdims=True)
    for f in found:
        bins = comb_plan.comb_bins(np.array([f.number]), plan.shifts[f.sidebands])
        for at in bins[:, 0].tolist():
            half = round(MAX_REPORTING_ERROR * abs(at)) + comb_plan.LOBE_BINS
            mean[:, max(0, at - half) : max(0, at + half + 1)] = 1
    return mean
