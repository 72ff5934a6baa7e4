"""What a record shows of its bearing: all that decides the diagnosis, as one value."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vtox.arrays import Float32
from vtox.diagnosers.bearing.ambiguities import (
    Ambiguities,
    ambiguities_of,
    defects_at_whole_orders,
    masked_defects,
    shaft_or_bearing,
)
from vtox.diagnosers.bearing.aperiodic_impacts import AperiodicImpacts, find_aperiodic_impacts
from vtox.diagnosers.bearing.cage_frequency import has_element_sidebands, only_bearing_cage
from vtox.diagnosers.bearing.envelope_views import EnvelopeViews, measure_comb
from vtox.diagnosers.bearing.search import CombSearch, search_combs
from vtox.diagnosers.bearing.shaft_speed import (
    MAX_REPORTING_ERROR,
    SENSOR_TOLERANCE,
    SHAFT_MULTIPLES,
    Speed,
    refine_speed,
    speed_contradicted_by_lines,
)
from vtox.diagnosers.bearing.unassigned_comb import UnassignedComb, find_unassigned_comb
from vtox.domain import Reason
from vtox.dsp import comb_plan
from vtox.dsp.comb_plan import Plan
from vtox.dsp.surrogates import Finding


@dataclass(frozen=True, slots=True)
class LeadingComb:
    """The comb of the likeliest defect, above its threshold or not, and how it was observed."""

    defect: str
    finding: Finding
    harmonics: tuple[Mapping[str, float], ...]
    modulation: float
    channel: str
    band_low_hz: float
    band_high_hz: float
    ambiguities: Ambiguities


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a record shows of its bearing, once its combs were compared with surrogates."""

    search: CombSearch
    #: Orders of the combs searched, by defect.
    orders: Mapping[str, float]
    #: None where the bearing is unknown.
    leading: LeadingComb | None
    #: Why lines found may be the bearing's or the shaft's.
    ambiguity: Reason | None = None
    unassigned: UnassignedComb | None = None
    aperiodic: AperiodicImpacts | None = None
    #: Where only the bearing cage is found: sidebands lie around masked lines of an element.
    element_sidebands: bool = False

    @property
    def only_bearing_cage(self) -> bool:
        """Whether the bearing cage's is the only comb found."""
        return only_bearing_cage(self.search.findings)


def gather_evidence(views: Sequence[EnvelopeViews]) -> Iterator[Evidence]:
    """Yield the evidence of each record; the records are of one layout."""
    searches = search_combs(views, map(_initial_speed, views))
    for own, search in zip(views, searches, strict=True):
        yield _evidence(own, search)


def _evidence(views: EnvelopeViews, search: CombSearch) -> Evidence:
    ambiguity = None
    speed = _speed_from_shaft_lines(views, search)
    if speed != search.speed:
        ambiguity = shaft_or_bearing(search.findings, search.speed, speed)
        search = search_combs([views], [speed])[0]
    evidence = Evidence(search, views.setup.orders, _leading_comb(views, search))
    if not search.detected:
        ambiguity = ambiguity or masked_defects(views.setup, search.plan, views.lines, speed)
        return _without_comb(evidence, views, ambiguity)
    if evidence.only_bearing_cage:
        return _with_bearing_cage_alone(evidence, views)
    return evidence


def _without_comb(evidence: Evidence, views: EnvelopeViews, ambiguity: Reason | None) -> Evidence:
    """Return the evidence of a record without a comb of its bearing."""
    if ambiguity:
        return replace(evidence, ambiguity=ambiguity)
    search = evidence.search
    unassigned = find_unassigned_comb(search.rows, search.plan, views, search.speed)
    strong = unassigned is not None and unassigned.strong
    aperiodic = None if strong else find_aperiodic_impacts(views)
    return replace(evidence, unassigned=unassigned, aperiodic=aperiodic)


def _with_bearing_cage_alone(evidence: Evidence, views: EnvelopeViews) -> Evidence:
    """Return the evidence of a record in which only the bearing cage's comb is found."""
    search, element = evidence.search, evidence.orders.get("BSF")
    cage_order = search.findings["FTF"].order
    return replace(
        evidence,
        aperiodic=find_aperiodic_impacts(views),
        element_sidebands=element is not None
        and has_element_sidebands(search.rows, search.plan, element, cage_order),
    )


def _leading_comb(views: EnvelopeViews, search: CombSearch) -> LeadingComb | None:
    if not search.findings:
        return None
    defect = search.leading
    finding = search.findings[defect]
    harmonics, modulation = measure_comb(search.plan, finding, views)
    ambiguities = ambiguities_of(views.setup, search.plan, defect, finding, search.speed)
    return LeadingComb(
        defect, finding, harmonics, modulation, *views.band(finding.view), ambiguities
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


def _speed_from_shaft_lines(views: EnvelopeViews, search: CombSearch) -> Speed:
    """Return the speed of the shaft lines where the result depends on it, else that searched at.

    It does where a comb found, or lines at masked orders, would be the shaft's if the speed erred
    by as much as a reported speed may.
    """
    findings, plan, speed = search.findings, search.plan, search.speed
    misreported = replace(speed, tolerance=max(speed.tolerance, MAX_REPORTING_ERROR))
    if search.detected:
        ambiguous = bool(defects_at_whole_orders(findings, plan, misreported))
    else:
        ambiguous = masked_defects(views.setup, plan, views.lines, speed) is not None
    if not ambiguous:
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
