"""What a finding of the bearing diagnoser is called: state, severity, confidence and words."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log10

from vtox.diagnosers.bearing.shaft_speed import Speed
from vtox.domain import Diagnosis, State, Value
from vtox.dsp.surrogates import Finding

FAULT = "bearing"
PLACES = {
    "BPFO": "outer race",
    "BPFI": "inner race",
    "BSF": "rolling element",
    "FTF": "cage",
}
# A finding this many times its threshold is as likely named right as wrong; confidence follows the
# logarithm of the ratio. Set by the reasoning that other lines of a damaged bearing (balls strike
# both races) stand at 1 to 4 times, a race that is itself damaged far above.
EVEN_RATIO = 5.0
STEEPNESS = 1.2
HIGHEST_CONFIDENCE = 0.95
# `fault` asks for a confidence, and for an envelope modulated by this much at least: below, a comb
# of a long record may be the ball pass of a healthy bearing.
FAULT_CONFIDENCE = 0.5
FAULT_MODULATION = 0.15
# Severity 0 and 1, dB of modulation: of no size of damage, which vibration does not tell.
MILD_DB, SEVERE_DB = -30.0, 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """All that words need: findings by target, the lines of the one named, and how it was seen.

    `other` are indicators of a comb that is none of this bearing's.
    """

    name: str
    findings: dict[str, Finding]
    orders: dict[str, float]
    speed: Speed
    band_hz: tuple[float, float]
    lines: tuple[dict[str, float], ...]
    modulation: float
    channel: str
    notes: tuple[str, ...]
    doubt: float
    other: Mapping[str, Value]


def named(findings: dict[str, Finding]) -> str:
    """Return the target that the findings name, whether or not it is above its threshold.

    Lines at the cage frequency accompany damage elsewhere, as elements pass the load zone once a
    turn of the cage (Randall & Antoni 2011, section 2): the cage is named where nothing else is.
    """
    others = {n: f for n, f in findings.items() if n != "FTF" and f.ratio >= 1}
    return max(others or findings, key=lambda n: findings[n].ratio)


def verdict(case: Case) -> Diagnosis:
    """Return the diagnosis of a record whose combs were judged."""
    name = case.name
    finding = case.findings[name]
    confidence = _confidence(case, name)
    indicators: dict[str, Value] = {
        "speed_rpm": round(case.speed.rpm, 1),
        "leading": name,
        "leading_ratio": round(finding.ratio, 3),
        **case.other,
    }
    state: State = "normal"
    severity = 0.0
    if finding.ratio >= 1:
        state, severity = _state(name, confidence, case.modulation), _severity(case.modulation)
        indicators |= {
            "defect": name,
            "order": round(finding.order, 4),
            "deviation": round(finding.order / case.orders[name] - 1, 5),
            "modulation_db": round(decibels(case.modulation), 1),
            "band_low_hz": case.band_hz[0],
            "band_high_hz": case.band_hz[1],
        }
    return Diagnosis(
        fault=FAULT,
        state=state,
        reason=_reason(case, name),
        severity=severity,
        confidence=round(confidence, 3),
        statistic=round(finding.level, 3),
        threshold=round(finding.threshold, 3),
        indicators=indicators,
        evidence=_evidence(case),
    )


def _confidence(case: Case, name: str) -> float:
    ratio = case.findings[name].ratio
    if ratio < 1:
        return round(max(0.5, 1 - ratio / 2) * case.doubt, 3)
    own = float(1 / (1 + (EVEN_RATIO / ratio) ** STEEPNESS))
    rivals = [f.ratio for n, f in case.findings.items() if n not in (name, "FTF")]
    rival = max((r for r in rivals if r >= 1), default=0.0)
    return min(HIGHEST_CONFIDENCE, own * (1 - 0.5 * min(1.0, rival / ratio)) * case.doubt)


def _state(name: str, confidence: float, modulation: float) -> State:
    # Cage lines alone are shared with belts and slow shafts.
    sure = confidence >= FAULT_CONFIDENCE and modulation >= FAULT_MODULATION
    return "fault" if sure and name != "FTF" else "warning"


def _severity(modulation: float) -> float:
    return round(min(1.0, max(0.0, (decibels(modulation) - MILD_DB) / (SEVERE_DB - MILD_DB))), 3)


def decibels(modulation: float) -> float:
    """Return a modulation in dB."""
    return 20 * log10(max(modulation, 1e-6))


def _reason(case: Case, name: str) -> str:
    finding = case.findings[name]
    at = f"{case.speed.rpm:.0f} rpm ({case.speed.source})"
    notes = "".join(f"; {n}" for n in case.notes)
    if finding.ratio < 1:
        return (
            f"no comb of lines at the defect orders at {at}: the nearest, {name}, reaches "
            f"{finding.ratio:.2f} of its threshold{notes}"
        )
    hz = " ".join(f"{line['hz']:.1f}" for line in case.lines)
    rivals = [f"{n} {f.ratio:.1f}" for n, f in case.findings.items() if n != name and f.ratio >= 1]
    also = f"; also above threshold: {', '.join(rivals)}" if rivals else ""
    return (
        f"{PLACES[name]} ({name}): envelope lines at {hz} Hz in {case.band_hz[0]:.0f} to "
        f"{case.band_hz[1]:.0f} Hz of {case.channel}, {finding.ratio:.1f} times the threshold, "
        f"modulation {decibels(case.modulation):.0f} dB, at {at}{also}{notes}"
    )


def _evidence(case: Case) -> tuple[Mapping[str, object], ...]:
    looked = tuple(
        {
            "defect": n,
            "expected_hz": round(case.orders[n] * case.speed.hz, 2),
            "found_order": round(f.order, 4),
            "statistic": round(f.level, 3),
            "threshold": round(f.threshold, 3),
            "sidebands": f.sidebands,
        }
        for n, f in sorted(case.findings.items(), key=lambda item: -item[1].ratio)
    )
    lines: list[Mapping[str, object]] = [
        {"line": i, **line} for i, line in enumerate(case.lines, start=1)
    ]
    return (*looked, *lines)
