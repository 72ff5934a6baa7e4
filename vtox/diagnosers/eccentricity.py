"""Once-per-turn modulation of the current, f +- fr, against the machine's own baseline.

Nearly every healthy motor shows these lines and the load alone moves them (by 2 dB of the current
for a quarter of load, motor model), so only a rise above the level learnt at the same load counts,
of the sideband that was steadier then: noise of the supply drives a current through the leakage
inductance that is greater the lower its frequency, so f + fr scatters by 0.5-1.9 dB where f - fr
does by 1.2-5 (motor model, records of 2 s). Air-gap eccentricity makes them (Dorrell, Thomson,
Roach 1997), and so do unbalance, misalignment and loads that swing once a turn (Obaid, Habetler,
Tallam 2003): they are named, not told apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log, log1p
from typing import Any

import numpy as np

from vtox.arrays import Float64, power_db
from vtox.baseline import RISE_DB, Baseline, Level
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.current.slip import SlipAnalysis, analyse_slip, unseen
from vtox.diagnosers.features import SUPPLY as SUPPLY_FEATURE
from vtox.domain import Diagnosis, Value, unknown
from vtox.dsp import demodulation, modulation_spectrum

FAULT = "eccentricity"
FEATURES = ("eccentricity.lower_dbc", "eccentricity.upper_dbc")
# Power of a sideband over its floor: less, and the floor may have made the rise.
THRESHOLD = 15.0
# A rise must be more than `RISE_DB`, and more than noise makes it. Noise adds to the amplitude, not
# to its logarithm, so the scatter is taken as that of the amplitude; so many deviations are
# exceeded by one record in 1000.
SCATTER = 3.1
NEPER_DB = 20 / log(10)
# Four times the amplitude learnt; a baseline whose scatter asks for more than this cannot decide.
FAULT_DB = 12.0
SEVERITIES = ((0.0, 6.0, 12.0, 24.0), (0.0, 0.3, 0.6, 1.0))
UNSTEADY = 0.25
# Of two-pole motors the lines fall near 0 Hz and twice the supply: s*f must be this many bins.
TWO_POLE_BINS = 5.0
SAME_SPEED = 0.05
ALTERNATIVES = (
    "unbalance of the rotor or what it drives",
    "misalignment of the coupling",
    "load that swings once a turn",
)


@dataclass(frozen=True, slots=True)
class _Found:
    hz: Float64
    # Lower and upper sideband over the supply line, and the noise there, shape (2, batch).
    sides_dbc: Float64
    floors_dbc: Float64
    drift: Float64


def diagnose(
    analysis: CurrentAnalysis,
    baselines: Sequence[Baseline | None],
    *,
    rotor: SlipAnalysis | None = None,
) -> list[Diagnosis]:
    """Return one diagnosis of the once-per-turn modulation per recording."""
    rotor = rotor or analyse_slip(analysis)
    if rotor is None:
        return unseen(analysis, FAULT)
    found = _find(analysis, rotor)
    rms_a = analysis.current_rms_a()
    return [
        unknown(FAULT, reason)
        if (reason := _refusal(analysis, rotor, found, i))
        else _verdict(analysis, rotor, found, i, float(rms_a[i]), baselines[i])
        for i in range(len(analysis.recordings))
    ]


def features(analysis: CurrentAnalysis, *, rotor: SlipAnalysis | None = None) -> dict[str, Float64]:
    """Return levels of the lines (dBc) and supply frequency per recording, NaN where not shown."""
    rotor = rotor or analyse_slip(analysis)
    if rotor is None:
        none = np.full(len(analysis.recordings), np.nan)
        return dict.fromkeys((*FEATURES, SUPPLY_FEATURE), none)
    found = _find(analysis, rotor)
    refused = [bool(_refusal(analysis, rotor, found, i)) for i in range(len(analysis.recordings))]
    shown = zip((*FEATURES, SUPPLY_FEATURE), (*found.sides_dbc, analysis.f0_hz), strict=True)
    return {name: np.where(refused, np.nan, values) for name, values in shown}


def _find(analysis: CurrentAnalysis, rotor: SlipAnalysis) -> _Found:
    """Return the strongest line at fr within the slip interval of each recording."""
    m = rotor.modulation
    pairs = np.array([p or np.nan for p in rotor.pole_pairs])
    slow = np.array([s.high for s in rotor.slips])
    fast = np.array([s.low for s in rotor.slips])
    rotation = analysis.f0_hz / pairs
    line = modulation_spectrum.strongest(
        m, rotation * (1 - slow) - m.bin_hz / 4, rotation * (1 - fast) + m.bin_hz / 4
    )
    drift, _ = demodulation.unsteadiness(analysis.envelope, analysis.rate_hz)
    return _Found(
        hz=line.hz,
        sides_dbc=power_db(np.square(m.sidebands(line.index))),
        floors_dbc=power_db(modulation_spectrum.sideband_floors(m, line)),
        drift=drift,
    )


def _refusal(analysis: CurrentAnalysis, rotor: SlipAnalysis, found: _Found, i: int) -> str:
    """Return why a recording does not show the lines, or an empty text."""
    slip = rotor.slips[i]
    if analysis.problems[i]:
        return "; ".join(p.sentence for p in analysis.problems[i])
    if not np.isfinite(slip.value) or slip.source == "none":
        return f"slip unknown: {slip.reason}" if slip.reason else "slip unknown"
    if rotor.pole_pairs[i] == 1:
        bins = slip.low * analysis.f0_hz[i] / rotor.modulation.bin_hz
        if bins < TWO_POLE_BINS:
            needed_s = analysis.duration_s * TWO_POLE_BINS / max(bins, 1e-3)
            return (
                "two-pole motor: at this slip the lines fall on 0 Hz and twice the supply; a "
                f"record of {needed_s:.0f} s would part them"
            )
    if found.drift[i] > UNSTEADY:
        return f"not stationary: the current moves by {found.drift[i]:.0%} within the record"
    return ""


def _verdict(
    analysis: CurrentAnalysis,
    rotor: SlipAnalysis,
    found: _Found,
    i: int,
    rms_a: float,
    baseline: Baseline | None,
) -> Diagnosis:
    slip, hz = rotor.slips[i], float(found.hz[i])
    f0_hz, sides, floors = float(analysis.f0_hz[i]), found.sides_dbc[:, i], found.floors_dbc[:, i]
    indicators: dict[str, Value] = {
        "rotor_dbc": round(float(power_db(np.sum(10 ** (sides / 10)))), 2),
        "floor_dbc": round(float(floors.min()), 2),
        "rotor_hz": round(hz, 3),
        "slip": round(slip.value, 6),
        "slip_source": slip.source,
        "load_a": round(rms_a, 4),
    }
    known, why = _known(baseline, rms_a, f0_hz)
    if not known:
        reason = f"{why}: most sound motors show lines at f+-fr, only a rise tells"
        return unknown(FAULT, reason, **indicators)
    side = min((0, 1), key=lambda k: known[k].spread)
    learnt = known[side]
    change = float(sides[side]) - learnt.mean
    limit = max(RISE_DB, NEPER_DB * log1p(SCATTER * learnt.spread / NEPER_DB))
    if limit > FAULT_DB:
        return unknown(
            FAULT,
            f"baseline too small or too scattered: {learnt.n} records at this load leave "
            f"{min(limit, 99.0):.0f} dB open",
            **indicators,
        )
    evidence: tuple[dict[str, Any], ...] = (
        {
            "kind": "line",
            "lower_hz": round(f0_hz - hz, 3),
            "upper_hz": round(f0_hz + hz, 3),
            "lower_dbc": round(float(sides[0]), 2),
            "upper_dbc": round(float(sides[1]), 2),
            "judged_hz": round(f0_hz + (-hz, hz)[side], 3),
            "baseline_dbc": round(learnt.mean, 2),
        },
    )
    verdict = Diagnosis(
        fault=FAULT,
        state="normal",
        severity=0.0,
        confidence=round(0.8 * float(np.clip(1 - change / limit / 2, 0.5, 1)), 3),
        statistic=round(change, 2),
        threshold=round(limit, 2),
        reason=f"once-per-turn modulation {change:+z.1f} dB against the baseline at this load",
        indicators={**indicators, "change_db": round(change, 2)},
        evidence=evidence,
    )
    if change < limit:
        return verdict
    if sides[side] - floors[side] < 10 * np.log10(THRESHOLD):
        return replace(
            verdict,
            state="unknown",
            severity=None,
            confidence=0.0,
            reason=(
                f"noise floor above the level to be compared: {floors[side]:.0f} dBc against "
                f"{learnt.mean:.0f} dBc in the baseline"
            ),
        )
    causes = tuple({"kind": "alternative", "cause": c} for c in ALTERNATIVES)
    return replace(
        verdict,
        state="fault" if change >= FAULT_DB else "warning",
        severity=round(float(np.interp(change, *SEVERITIES)), 3),
        confidence=round(0.8 * float(np.clip(change / limit / 2, 0.5, 1)), 3),
        reason=(
            f"once-per-turn modulation {change:+z.1f} dB against the baseline at this load "
            f"({sides[side]:.1f} dBc at {hz:.2f} Hz from the supply): eccentricity, unbalance, "
            f"misalignment or a load that swings once a turn"
        ),
        evidence=evidence + causes,
    )


def _known(baseline: Baseline | None, rms_a: float, f0_hz: float) -> tuple[list[Level], str]:
    """Return the healthy levels of both sidebands at this load and speed, or why there are none."""
    if baseline is None:
        return [], "no baseline"
    levels = [level for name in FEATURES if (level := baseline.level(name, rms_a)) is not None]
    if len(levels) < len(FEATURES):
        return [], baseline.state(FEATURES[0], rms_a)
    supply = baseline.level(SUPPLY_FEATURE, rms_a)
    if supply is not None and abs(f0_hz / supply.mean - 1) > SAME_SPEED:
        return [], f"no baseline at this speed: learnt at {supply.mean:.1f} Hz"
    return levels, ""
