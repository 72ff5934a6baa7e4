"""From the evidence of a record to its diagnosis: an ordered table of rules, one code each."""

from collections.abc import Callable, Mapping
from typing import Any

from vtox.diagnosers.bearing.evidence import Evidence, LeadingComb
from vtox.diagnosers.bearing.severity import (
    FAULT_CONFIDENCE,
    FAULT_MODULATION,
    MAX_BEARING_CAGE_CONFIDENCE,
    confidence,
    decibels,
    severity,
    state_of_comb,
)
from vtox.domain import Diagnosis, Reason, ReasonValue, State, Value, abstain, reason

FAULT = "bearing"


def conclude(evidence: Evidence) -> Diagnosis:
    """Return the diagnosis by the first rule that applies."""
    return next(d for rule in RULES if (d := rule(evidence)) is not None)


def _bearing_or_shaft(e: Evidence) -> Diagnosis | None:
    return abstain(FAULT, e.ambiguity) if e.ambiguity else None


def _no_geometry(e: Evidence) -> Diagnosis | None:
    if e.leading:
        return None
    impacts = e.aperiodic or e.unassigned
    observation = impacts.reason if impacts else reason("no_impacts")
    indicators = impacts.indicators if impacts else {}
    return abstain(FAULT, reason("no_bearing_geometry"), observation, indicators=indicators)


def _unassigned_impacts(e: Evidence) -> Diagnosis | None:
    return _abstention(e, e.unassigned.reason) if e.unassigned and e.unassigned.strong else None


def _aperiodic_impacts(e: Evidence) -> Diagnosis | None:
    return _abstention(e, e.aperiodic.reason) if e.aperiodic and not e.search.detected else None


def _smeared_lines(e: Evidence) -> Diagnosis | None:
    if e.smeared is None:
        return None
    values = {**e.smeared.values, **_speed_values(e)}
    return _abstention(e, Reason(e.smeared.code, values))


def _no_comb(e: Evidence) -> Diagnosis | None:
    if e.search.detected:
        return None
    comb = _leading(e)
    why = reason("no_defect_comb", defect=comb.defect, ratio=comb.finding.ratio, **_speed_values(e))
    weak = (e.unassigned.reason,) if e.unassigned else ()
    shaft = (e.shaft,) if e.shaft else ()
    return _diagnosis(
        e,
        why,
        *weak,
        *shaft,
        *comb.ambiguities.doubts,
        state="normal",
        severity=0.0,
        confidence=_confidence(e, comb),
    )


def _supply_or_bearing(e: Evidence) -> Diagnosis | None:
    if e.supply_hz is None:
        return None
    values = {**_comb_values(e), "supply_hz": e.supply_hz}
    return _abstention(e, Reason("supply_or_bearing", values), *_doubts(e))


def _element_or_bearing_cage(e: Evidence) -> Diagnosis | None:
    if not (e.only_bearing_cage and e.element_sidebands):
        return None
    return _detection(e, "element_or_bearing_cage", reason("element_sidebands"), defect="BSF")


def _weak_bearing_cage_lines(e: Evidence) -> Diagnosis | None:
    if not e.only_bearing_cage or _leading(e).modulation >= FAULT_MODULATION:
        return None
    # The statistic is as it was measured: something exceeds chance, of unknown origin.
    why = Reason("weak_bearing_cage_lines", _comb_values(e))
    return _abstention(e, why, *_doubts(e))


def _slower_shaft_or_bearing_cage(e: Evidence) -> Diagnosis | None:
    if not e.only_bearing_cage:
        return None
    aperiodic = (e.aperiodic.reason,) if e.aperiodic else ()
    why = Reason("slower_shaft_or_bearing_cage", _comb_values(e))
    return _abstention(e, why, *aperiodic, *_doubts(e))


def _looseness(e: Evidence) -> Diagnosis | None:
    if not e.half_orders or _confidence(e, _leading(e)) >= FAULT_CONFIDENCE:
        return None
    return _abstention(e, Reason("looseness_or_bearing", _comb_values(e)), *_doubts(e))


def _weak_defect_lines(e: Evidence) -> Diagnosis | None:
    if not _leading(e).weak:
        return None
    return _abstention(e, Reason("weak_defect_lines", _comb_values(e)), *_doubts(e))


def _another_machine_or_bearing(e: Evidence) -> Diagnosis | None:
    comb = _leading(e)
    found = {n for n, f in e.search.findings.items() if f.ratio >= 1}
    if not comb.foreign or (comb.defect == "BSF" and "FTF" in found):
        return None
    return _abstention(e, Reason("another_machine_or_bearing", _comb_values(e)), *_doubts(e))


def _lagging_elements(e: Evidence) -> Diagnosis | None:
    if not e.lagging:
        return None
    lag = reason("elements_lag", lag=e.lagging.lag, defects=e.lagging.defects)
    return _detection(e, "bearing_defect", lag)


def _defect(e: Evidence) -> Diagnosis | None:
    return _detection(e, "bearing_defect")


# In the order in which they are tested; each may rely on those before it not to apply.
RULES: tuple[Callable[[Evidence], Diagnosis | None], ...] = (
    _bearing_or_shaft,
    _no_geometry,
    _unassigned_impacts,
    _aperiodic_impacts,
    _smeared_lines,
    _no_comb,
    _supply_or_bearing,
    _element_or_bearing_cage,
    _weak_bearing_cage_lines,
    _slower_shaft_or_bearing_cage,
    _looseness,
    _weak_defect_lines,
    _another_machine_or_bearing,
    _lagging_elements,
    _defect,
)


def _detection(e: Evidence, code: str, *signs: Reason, defect: str | None = None) -> Diagnosis:
    """Return a warning or fault of the leading comb; `defect` if another than the comb's."""
    comb = _leading(e)
    sure = _confidence(e, comb)
    limit = MAX_BEARING_CAGE_CONFIDENCE if e.only_bearing_cage else 1.0
    return _diagnosis(
        e,
        Reason(code, _comb_values(e)),
        *_doubts(e),
        *signs,
        state=state_of_comb(comb.defect, sure, comb.modulation),
        severity=severity(comb.modulation),
        confidence=min(sure, limit),
        indicators={"defect": defect or comb.defect},
    )


def _abstention(e: Evidence, why: Reason, *doubts: Reason) -> Diagnosis:
    """Return an abstention that keeps what was measured."""
    return _diagnosis(e, why, *doubts, state="unknown", severity=None, confidence=0.0)


def _diagnosis(
    e: Evidence,
    why: Reason,
    *doubts: Reason,
    state: State,
    severity: float | None,
    confidence: float,
    indicators: Mapping[str, Value] | None = None,
) -> Diagnosis:
    """Return a diagnosis with the numbers and the evidence of the leading comb."""
    finding = _leading(e).finding
    return Diagnosis(
        fault=FAULT,
        state=state,
        code=why.code,
        values=why.values,
        doubts=doubts,
        severity=severity,
        confidence=round(confidence, 3),
        statistic=round(finding.level, 3),
        threshold=round(finding.threshold, 3),
        indicators={**_indicators(e), **(indicators or {})},
        evidence=_rows(e),
    )


def _leading(e: Evidence) -> LeadingComb:
    assert e.leading is not None
    return e.leading


def _confidence(e: Evidence, comb: LeadingComb) -> float:
    penalty = comb.ambiguities.confidence_penalty * (e.lagging.penalty if e.lagging else 1.0)
    return confidence(e.search.findings, comb.defect, penalty)


def _doubts(e: Evidence) -> tuple[Reason, ...]:
    """Return the combs of other defects that are found too, and the ambiguities."""
    comb = _leading(e)
    others = (
        reason("other_defect_comb", defect=n, ratio=f.ratio)
        for n, f in e.search.findings.items()
        if n != comb.defect and f.ratio >= 1
    )
    return (*others, *comb.ambiguities.doubts)


def _speed_values(e: Evidence) -> dict[str, ReasonValue]:
    return {"speed_rpm": e.search.speed.rpm, "speed_source": e.search.speed.source}


def _comb_values(e: Evidence) -> dict[str, ReasonValue]:
    comb = _leading(e)
    return {
        "defect": comb.defect,
        "order": comb.finding.order,
        "repetition_hz": comb.finding.order * e.search.speed.hz,
        "ratio": comb.finding.ratio,
        "modulation_db": decibels(comb.modulation),
        "channel": comb.channel,
        "band_low_hz": comb.band_low_hz,
        "band_high_hz": comb.band_high_hz,
        **_speed_values(e),
    }


def _indicators(e: Evidence) -> dict[str, Value]:
    comb = _leading(e)
    finding = comb.finding
    indicators: dict[str, Value] = {
        "speed_rpm": round(e.search.speed.rpm, 1),
        "leading": comb.defect,
        "leading_ratio": round(finding.ratio, 3),
    }
    if finding.ratio >= 1:
        return indicators | {
            "order": round(finding.order, 4),
            "deviation": round(finding.order / e.orders[comb.defect] - 1, 5),
            "modulation_db": round(decibels(comb.modulation), 1),
            "band_low_hz": comb.band_low_hz,
            "band_high_hz": comb.band_high_hz,
        }
    impacts = e.aperiodic or e.unassigned
    return indicators | dict(impacts.indicators if impacts else {})


def _rows(e: Evidence) -> tuple[Mapping[str, Any], ...]:
    """Return the evidence: a row a defect, the likeliest first, then the lines of its comb."""
    defects = tuple(
        {
            "defect": n,
            "expected_hz": round(e.orders[n] * e.search.speed.hz, 2),
            "found_order": round(f.order, 4),
            "statistic": round(f.level, 3),
            "threshold": round(f.threshold, 3),
            "sidebands": f.sidebands,
        }
        for n, f in sorted(e.search.findings.items(), key=lambda item: -item[1].ratio)
    )
    lines = ({"line": i, **line} for i, line in enumerate(_leading(e).harmonics, start=1))
    return (*defects, *lines)
