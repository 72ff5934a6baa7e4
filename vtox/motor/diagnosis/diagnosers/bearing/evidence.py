"""Columns that the rules of bearings read: the leading comb, and other possible causes of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Final, Literal, NotRequired, TypedDict

import numpy as np

from vtox.motor.diagnosis.diagnosers.bearing.envelope_views import Harmonic
from vtox.motor.diagnosis.diagnosers.bearing.leading_comb import LeadingComb
from vtox.motor.diagnosis.diagnosers.bearing.severity import (
    EVEN_RATIO,
    FAULT_CONFIDENCE,
    MAX_BEARING_CAGE_CONFIDENCE,
    MAX_ELEMENT_CONFIDENCE,
    RACES,
    STEEPNESS,
    SURE_MODULATION,
    SURE_RATIO,
    confidence,
    decibels,
    severity,
)
from vtox.motor.diagnosis.diagnosers.bearing.signs import Signs
from vtox.motor.diagnosis.diagnosers.bearing.unassigned_comb import UnassignedComb
from vtox.motor.diagnosis.diagnosers.columns import Objects, Stated, gathered, rounded
from vtox.motor.diagnosis.diagnosers.decision import Evidence
from vtox.motor.diagnosis.dsp.surrogates import Finding
from vtox.motor.values.arrays import Bool, Float64, Int
from vtox.motor.values.domain import QUIET, Reason, reason

# Evidence of a comb too weak for one record, which counts if it stays or has risen.
WEAK_SIGN: Final = "weak_sign"


class WeakSign(TypedDict):
    """Evidence of such a comb; `rise_db` is its rise over a baseline."""

    kind: Literal["weak_sign"]
    severity: float
    rise_db: NotRequired[float]


class _Impacts(TypedDict):
    kind: Literal["impacts"]
    found_order: float
    statistic: float
    threshold: float


class _Line(Harmonic):
    line: int


class _Defect(TypedDict):
    defect: str
    expected_hz: float
    found_order: float
    statistic: float
    threshold: float
    sidebands: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BearingEvidence:
    """Columns of length batch, blank if a record was not searched.

    `input_problems` says why it was not, `ambiguity` why its lines may be the bearing's or the
    shaft's; other columns are blank then. `known_bearing`: the orders of its combs are known, and
    the columns from `defect` on are those of the leading comb. `detected`: it is above its
    threshold. `strong`: impacts at no defect order are as strong as those of damage; if the
    bearing is unknown, the columns of a comb are theirs.

    `weak`: sound elements may make the comb. `unsure`: one record does not decide it. `modulated`:
    shaft or bearing cage modulate a comb beyond slippage from its order. `cage_alone`: only the
    comb of the bearing cage is found. `with_cage`: it is found too; `masked` then lists the damage
    that lines at masked orders may be. `element_as_likely`: the comb is of a race, but comes with
    the bearing cage's and modulates little.

    `neighbour_order`: order of the shaft of the nameplate that has the comb among its lines, at
    its `multiple`; NaN if none has. `lag`: lag of the elements that makes the comb one of this
    part, NaN elsewhere; `lagging` names all parts that the comb may be of. `supply_hz` is NaN if no
    lines of the supply exceed the comb. Impacts, lines and the shaft come from the modules of their
    names.
    """

    input_problems: Stated
    ambiguity: Stated
    known_bearing: Bool
    impacts: Stated
    unassigned: Stated
    strong: Bool
    aperiodic: Stated
    smeared: Stated
    shaft: Stated
    other_combs: Stated
    ambiguities: Stated
    detected: Bool
    cage_alone: Bool
    masked: Stated
    neighbour_order: Float64
    multiple: Int
    with_cage: Bool
    element_as_likely: Bool
    element_sidebands: Bool
    half_orders: Bool
    supply_hz: Float64
    lag: Float64
    lagging: Objects
    defect: Objects
    weak: Bool
    unsure: Bool
    modulated: Bool
    foreign: Bool
    order: Float64
    deviation: Float64
    repetition_hz: Float64
    level: Float64
    threshold: Float64
    ratio: Float64
    modulation: Float64
    modulation_db: Float64
    channel: Objects
    band_low_hz: Float64
    band_high_hz: Float64
    speed_rpm: Float64
    speed_source: Objects
    confidence: Float64
    severity: Float64
    impulsive_order: Float64
    impulsive_ratio: Float64
    impulsive_modulation_db: Float64
    irregular_modulation_db: Float64
    shown: Objects


def evidence(signs: Sequence[Signs | None], problems: Stated) -> BearingEvidence:
    """Return the columns of records: their signs, or the problems for which there are none."""
    rows = zip(signs, problems, _defects_shown(signs), strict=True)
    return gathered(
        BearingEvidence,
        [_row(s, defects) if s else {"input_problems": why} for s, why, defects in rows],
    )


def _row(s: Signs, defects: Evidence) -> dict[str, Any]:
    """Return the values of one record by column; `defects` are shown with them."""
    if s.ambiguity:
        return {"ambiguity": (s.ambiguity,)}
    impacts = s.aperiodic or s.unassigned
    row: dict[str, Any] = {
        "impacts": (impacts.reason,) if impacts else (),
        "aperiodic": (s.aperiodic.reason,) if s.aperiodic else (),
        "unassigned": (s.unassigned.reason,) if s.unassigned else (),
    }
    if impacts and not s.search.detected:
        row |= impacts.indicators
    if s.leading:
        return row | _comb_columns(s, s.leading, defects)
    if s.unassigned and s.unassigned.strong and s.unassigned.finding:
        return row | _impact_columns(s, s.unassigned, s.unassigned.finding)
    return row if impacts else row | {"shown": (QUIET,)}


def _impact_columns(s: Signs, impacts: UnassignedComb, finding: Finding) -> dict[str, Any]:
    """Return the columns of impacts at an order that no geometry names."""
    speed = s.search.speed
    level, threshold = finding.level, SURE_RATIO * finding.threshold
    channel, low_hz, high_hz = impacts.band
    own = 1 / (1 + (EVEN_RATIO * threshold / level) ** STEEPNESS)
    return {
        "strong": True,
        "order": finding.order,
        "repetition_hz": finding.order * speed.hz,
        "level": level,
        "threshold": threshold,
        "ratio": level / threshold,
        "modulation_db": decibels(impacts.modulation),
        "channel": channel,
        "band_low_hz": low_hz,
        "band_high_hz": high_hz,
        "speed_rpm": speed.rpm,
        "speed_source": speed.source,
        "severity": severity(impacts.modulation),
        "confidence": min(FAULT_CONFIDENCE, own),
        "shown": (_impacts_shown(finding),),
    }


def _impacts_shown(finding: Finding) -> _Impacts:
    return {
        "kind": "impacts",
        "found_order": round(finding.order, 4),
        "statistic": round(finding.level, 3),
        "threshold": round(SURE_RATIO * finding.threshold, 3),
    }


def _comb_columns(s: Signs, comb: LeadingComb, defects: Evidence) -> dict[str, Any]:
    speed, finding = s.search.speed, comb.finding
    penalty = comb.ambiguities.confidence_penalty * (s.lagging.penalty if s.lagging else 1.0)
    sure = confidence(s.search.findings, comb.defect, penalty)
    row: dict[str, Any] = {
        "known_bearing": True,
        "strong": s.unassigned is not None and s.unassigned.strong,
        "smeared": (_at_speed(s.smeared, s),) if s.smeared else (),
        "shaft": (s.shaft,) if s.shaft else (),
        "ambiguities": comb.ambiguities.doubts,
        "defect": comb.defect,
        "order": finding.order,
        "level": finding.level,
        "threshold": finding.threshold,
        "ratio": finding.ratio,
        "speed_rpm": speed.rpm,
        "speed_source": speed.source,
        "confidence": min(sure, MAX_BEARING_CAGE_CONFIDENCE) if s.only_bearing_cage else sure,
        "shown": defects,
    }
    if not s.search.detected:
        if s.unassigned and s.unassigned.strong and s.unassigned.finding:
            row["shown"] = (*row["shown"], _impacts_shown(s.unassigned.finding))
        return row
    lines: Iterator[_Line] = ({"line": i, **line} for i, line in enumerate(comb.harmonics, start=1))
    row["shown"] = (*defects, *lines)
    above = {n: f.ratio for n, f in s.search.findings.items() if f.ratio >= 1}
    little = comb.modulation < SURE_MODULATION
    unsure = finding.ratio < SURE_RATIO and little
    of_element = little and "FTF" in above and comb.defect in RACES
    # More records with the same comb do not exclude its other causes.
    other = comb.foreign or s.only_bearing_cage or s.supply_hz or s.neighbour
    sign: WeakSign = {"kind": WEAK_SIGN, "severity": severity(comb.modulation)}
    counts = unsure and not (comb.weak or other)
    return row | {
        "other_combs": tuple(
            reason("other_defect_comb", defect=n, ratio=ratio)
            for n, ratio in above.items()
            if n != comb.defect
        ),
        "detected": True,
        "cage_alone": s.only_bearing_cage,
        "with_cage": "FTF" in above,
        "element_as_likely": of_element,
        **({"confidence": min(row["confidence"], MAX_ELEMENT_CONFIDENCE)} if of_element else {}),
        "element_sidebands": s.element_sidebands,
        "half_orders": s.half_orders,
        "supply_hz": s.supply_hz or float("nan"),
        "masked": (s.masked,) if s.masked else (),
        "weak": comb.weak,
        "unsure": unsure,
        **({"neighbour_order": s.neighbour[0], "multiple": s.neighbour[1]} if s.neighbour else {}),
        "modulated": comb.modulated,
        "foreign": comb.foreign,
        "deviation": comb.deviation,
        "repetition_hz": finding.order * speed.hz,
        "modulation": comb.modulation,
        "modulation_db": decibels(comb.modulation),
        "severity": severity(comb.modulation),
        "channel": comb.channel,
        "band_low_hz": comb.band_low_hz,
        "band_high_hz": comb.band_high_hz,
        **({"lag": s.lagging.lag, "lagging": s.lagging.defects} if s.lagging else {}),
        **({"shown": (*row["shown"], sign)} if counts else {}),
    }


def _at_speed(why: Reason, s: Signs) -> Reason:
    speed = s.search.speed
    return Reason(why.code, {**why.values, "speed_rpm": speed.rpm, "speed_source": speed.source})


def _defects_shown(signs: Sequence[Signs | None]) -> list[Evidence]:
    """Return a row a defect of each record that has a leading comb, the likeliest first."""
    found = [
        sorted(s.search.findings.items(), key=lambda item: -item[1].ratio)
        if s and s.leading
        else []
        for s in signs
    ]
    numbers = [
        (s.orders[n] * hz, f.order, f.level, f.threshold)
        for s, own in zip(signs, found, strict=True)
        if s
        for hz in [s.search.speed.hz]
        for n, f in own
    ]
    columns = zip(np.array(numbers).reshape(-1, 4).T, (2, 4, 3, 3), strict=True)
    rows = zip(*(rounded(x, digits).tolist() for x, digits in columns), strict=True)
    shown: Iterator[_Defect] = (
        {
            "defect": n,
            "expected_hz": expected_hz,
            "found_order": order,
            "statistic": level,
            "threshold": threshold,
            "sidebands": f.sidebands,
        }
        for (n, f), (expected_hz, order, level, threshold) in zip(chain(*found), rows, strict=True)
    )
    return [tuple(islice(shown, len(own))) for own in found]
