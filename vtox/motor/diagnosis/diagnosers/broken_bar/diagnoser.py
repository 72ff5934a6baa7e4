"""Broken rotor bars and end rings, from the sidebands at 2sf from the supply line.

Amplitude and phase modulation of the current are searched at 2sf within the known interval of the
slip (`sidebands`). A line must exceed the floor around it and must not be one that a load can make;
then its level below the supply line decides (`rules`).
"""

from collections.abc import Sequence
from typing import Literal, TypedDict

import numpy as np

from vtox.motor.diagnosis.diagnosers.broken_bar.evidence import (
    DEVELOPING_DBC,
    BrokenBarEvidence,
    OperatingPoint,
    conditions,
    evidence,
    without_voltages,
)
from vtox.motor.diagnosis.diagnosers.broken_bar.rules import (
    CAGE,
    CONDITIONS,
    RULES,
    STEADY,
    level_certain,
    stays_with_voltages,
    supply_excluded,
    tracks_slip,
)
from vtox.motor.diagnosis.diagnosers.broken_bar.sidebands import NEEDED_BINS
from vtox.motor.diagnosis.diagnosers.broken_bar.starting import (
    CONFIDENCE,
    START_WARNING_DB,
    STEADY_DB,
    starts,
)
from vtox.motor.diagnosis.diagnosers.columns import Objects, objects, rounded, take, with_rows
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.slip import SlipAnalysis, analyse_slip
from vtox.motor.diagnosis.diagnosers.decision import (
    Evidence,
    Indicator,
    Verdicts,
    abstentions,
    alternative,
    verdicts,
)
from vtox.motor.diagnosis.diagnosers.features import SLIP_LINE_SHARE, SLIP_SIDEBANDS
from vtox.motor.values.arrays import Bool, Float64, Int
from vtox.motor.values.baseline import RISE_DB, Baseline

# Level, dBc -> severity.
SEVERITIES = ((-60.0, -54.0, -48.0, -42.0, -36.0, -30.0), (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
# Confidence with a measured slip and with an estimated one: of a fault, and of health.
FOUND_CONFIDENCE = (0.9, 0.6)
NORMAL_CONFIDENCE = (0.9, 0.7)
# Health is as certain as can be if lines so far below a fault would have been found, dB.
FULL_CONFIDENCE_DB = 10.0
# Lines as strong as those of a fault: their distance from the noise counts.
ASYMMETRIC = ("rotor_asymmetry", "rotor_asymmetry_as_baseline", "sidebands_as_baseline")


def diagnose(
    analysis: CurrentAnalysis,
    baselines: Sequence[Baseline | None],
    *,
    slip_analysis: SlipAnalysis | None = None,
) -> Verdicts:
    """Return the verdicts on the rotor cages of a batch.

    Parameters
    ----------
    analysis : CurrentAnalysis
        A batch with one current or more, A; voltages, V, help if the supply wanders.
    baselines : sequence of Baseline or None, length batch
        Healthy levels: `broken_bar.lower_dbc`, dBc, and `broken_bar.line_share`. Lines that were
        there when learnt and have not risen are no fault, unless they are as strong as those of
        broken bars.
    slip_analysis : SlipAnalysis, optional
        The slip of the same recordings, if it was computed before.

    Returns
    -------
    Verdicts
        `statistic` above 1, the `threshold`, is a line over the noise and beyond a sound rotor
        cage; with a baseline that clears it, the rise over its limit. Indicators: `slip`,
        `slip_half_width` and `slip_source`, `lower_sideband_dbc` and `upper_sideband_dbc` (None
        if noise leaves them open), `level_deviation_db`, `floor_dbc`, `detectable_dbc`,
        `strongest_dbc` if it counts in the mean over records, `load_a`, and `change_db` with a
        baseline. Evidence: the interval searched, the line, and
        other causes.

    Notes
    -----
    Filippetti, Franceschini, Tassoni, Vas 1998 (IEEE TIA 34(1):98); Bellini et al. 2001 (IEEE TIA
    37(5):1248); levels of Penrose 2006 and Culbert & Letal 2015.
    """
    slip_analysis = slip_analysis or analyse_slip(analysis)
    of_start = starts(analysis)
    if slip_analysis is None:
        return abstentions("broken_bar", of_start.problems)
    c = conditions(analysis, slip_analysis, of_start)
    decided = CONDITIONS.decide(c, len(baselines))
    x = evidence(analysis, slip_analysis, c, baselines, np.flatnonzero(decided < 0))
    decided = RULES.decide(x, len(baselines), after=CONDITIONS, decided=decided)
    x, decided = _with_finds_of_currents(analysis, slip_analysis, c, baselines, x, decided)
    searched = decided >= len(STEADY.rules)
    place = RULES.places[decided]
    statistic = rounded(_statistic(x, searched, place), 4)
    level_dbc = np.where(searched, x.level_dbc, x.start_level_db + STEADY_DB)
    shown = of_start.sweeps | _searched(x, decided)
    return verdicts(
        "broken_bar",
        RULES,
        x,
        decided,
        severity=np.interp(level_dbc, *SEVERITIES),
        confidence=np.where(searched, _confidence(x, place), CONFIDENCE),
        statistic=statistic,
        threshold=np.where(np.isnan(statistic), np.nan, 1.0),
        indicators=_indicators(x, searched, place),
        evidence=objects([shown.get(i, ()) for i in range(len(decided))]),
    )


def _with_finds_of_currents(
    analysis: CurrentAnalysis,
    slip_analysis: SlipAnalysis,
    c: OperatingPoint,
    baselines: Sequence[Baseline | None],
    x: BrokenBarEvidence,
    decided: Int,
) -> tuple[BrokenBarEvidence, Int]:
    """Return evidence and decisions, with the finds that currents alone give behind a drive.

    A drive that answers a cage with its voltage may leave a line open that the currents show.
    """
    open_ = (RULES.states[decided] == "unknown") & (decided >= len(STEADY.rules))
    (rows,) = (open_ & c.inverter & c.voltages & ~c.supply_moves & ~x.of_bridge).nonzero()
    if not rows.size:
        return x, decided
    y = without_voltages(analysis, slip_analysis, c, baselines, rows)
    alone = RULES.decide(y, len(rows))
    found = (RULES.states[alone] == "warning") & stays_with_voltages(take(x, rows), y)
    if not found.any():
        return x, decided
    decided = decided.copy()
    decided[rows[found]] = alone[found]
    return with_rows(x, rows[found], take(y, np.flatnonzero(found))), decided


def features(
    analysis: CurrentAnalysis, *, slip_analysis: SlipAnalysis | None = None
) -> dict[str, Float64]:
    """Return the features of the rotor cage that a baseline learns.

    Parameters
    ----------
    analysis : CurrentAnalysis
    slip_analysis : SlipAnalysis, optional
        The slip of the same recordings, if it was computed before.

    Returns
    -------
    dict of ndarray, shape (batch,)
        `broken_bar.lower_dbc`, the level of the sidebands, dBc; NaN if a recording shows none.
        Neither noise nor a load's line must be learnt: one that comes later would be as strong.
        `broken_bar.line_share`, 1 if it shows them and 0 if a rotor cage would have shown
        them and does not; NaN if that is open.
    """
    slip_analysis = slip_analysis or analyse_slip(analysis)
    names, count = (SLIP_SIDEBANDS, SLIP_LINE_SHARE), len(analysis.recordings)
    nothing = np.full(count, np.nan)
    if slip_analysis is None:
        return dict.fromkeys(names, nothing)
    c = conditions(analysis, slip_analysis, starts(analysis))
    decided = CONDITIONS.decide(c, count)
    (rows,) = (decided < 0).nonzero()
    if not rows.size:
        return dict.fromkeys(names, nothing)
    x = evidence(analysis, slip_analysis, c, [None] * count, rows)
    decided = CAGE.decide(x, count, after=CONDITIONS, decided=decided)
    # A line that a load or the supply may have made says nothing of the cage: learnt as its level,
    # it would hide one that breaks. Nor does one next to it that covers a weak one of the cage.
    open_ = (decided < len(STEADY.rules)) | (CAGE.states[decided] == "unknown")
    shown = x.is_line & (CAGE.codes[decided] != "load_oscillation")
    share = np.where(open_ | ~(x.bins >= NEEDED_BINS), np.nan, shown)
    return dict(zip(names, (np.where(share == 1, x.level_dbc, np.nan), share), strict=True))


def _confidence(x: BrokenBarEvidence, place: Objects) -> Float64:
    estimated = np.asarray(~x.measured, np.int64)
    over_limit = np.clip(x.over_floor / x.over_floor_limit / 2, 0.5, 1)
    room = np.clip((DEVELOPING_DBC - x.detectable_dbc) / FULL_CONFIDENCE_DB, 0, 1)
    return np.where(
        np.isin(place, ASYMMETRIC),
        np.array(FOUND_CONFIDENCE)[estimated] * over_limit,
        np.array(NORMAL_CONFIDENCE)[estimated] * (0.5 + 0.5 * room),
    )


def _statistic(x: BrokenBarEvidence, searched: Bool, place: Objects) -> Float64:
    """Return the level of a line, or of the sideband of a start, over its limit."""
    of_start = 10 ** ((x.start_level_db - START_WARNING_DB) / 20)
    rise = np.maximum(x.change_db, 0.0) / RISE_DB
    statistic = np.where(place == "sidebands_as_baseline", rise, x.statistic)
    # There the place of the line decided, not its level.
    statistic = np.where(place == "load_oscillation", np.nan, statistic)
    return np.where(searched, statistic, np.where(of_start >= 1, of_start, np.nan))


def _indicators(x: BrokenBarEvidence, searched: Bool, place: Objects) -> dict[str, Indicator]:
    known = np.array([not (p or s) for p, s in zip(x.input_problems, x.slip_problems, strict=True)])
    certain = level_certain(x).tolist()

    def where_certain(dbc: Float64) -> Objects:
        levels = zip(rounded(dbc, 2).tolist(), certain, strict=True)
        return objects([level if sure else None for level, sure in levels])

    compared = np.isin(place, ASYMMETRIC) & ~np.isnan(x.baseline_dbc)
    return {
        "start_sideband_db": Indicator(rounded(x.start_level_db, 2), ~np.isnan(x.start_level_db)),
        "slip": Indicator(rounded(x.slip, 6), known),
        "slip_half_width": Indicator(rounded(x.slip_half, 6), known),
        "slip_source": Indicator(x.slip_source, known),
        "lower_sideband_dbc": Indicator(where_certain(x.lower_dbc), searched),
        "upper_sideband_dbc": Indicator(where_certain(x.upper_dbc), searched),
        "level_deviation_db": Indicator(rounded(x.deviation_db, 2), searched),
        "floor_dbc": Indicator(rounded(x.floor_dbc, 2), searched),
        "detectable_dbc": Indicator(rounded(x.detectable_dbc, 2), searched),
        "strongest_dbc": Indicator(rounded(x.strongest_dbc, 2), searched & x.counts_in_mean),
        "load_a": Indicator(rounded(x.load_a, 4), searched),
        "change_db": Indicator(rounded(x.change_db, 2), compared),
    }


class _SearchRange(TypedDict):
    kind: Literal["searched"]
    low_hz: float
    high_hz: float
    from_supply_hz: float
    bins: float
    over_floor: float
    over_floor_limit: float


class _Line(TypedDict):
    kind: Literal["line"]
    lower_hz: float
    upper_hz: float
    lower_dbc: float
    upper_dbc: float


class _MovingSlip(TypedDict):
    kind: Literal["moving_slip"]
    lowest_slip: float
    highest_slip: float
    over_fixed: float


def _searched(x: BrokenBarEvidence, decided: Int) -> dict[int, Evidence]:
    """Return the frequencies searched, the line if there is one, and its other causes."""
    supply = ~(supply_excluded(x) | tracks_slip(x))
    asymmetric = np.isin(RULES.places[decided], ASYMMETRIC)
    shown: dict[int, Evidence] = {}
    for i in (decided >= len(STEADY.rules)).nonzero()[0].tolist():
        f0_hz, hz = float(x.f0_hz[i]), float(x.hz[i])
        searched: _SearchRange = {
            "kind": "searched",
            "low_hz": round(float(x.searched_low_hz[i]), 3),
            "high_hz": round(float(x.searched_high_hz[i]), 3),
            "from_supply_hz": round(f0_hz, 3),
            "bins": round(float(x.bins[i]), 1),
            "over_floor": round(float(x.over_floor[i]), 2),
            "over_floor_limit": float(x.over_floor_limit[i]),
        }
        line: _Line = {
            "kind": "line",
            "lower_hz": round(f0_hz - hz, 3),
            "upper_hz": round(f0_hz + hz, 3),
            "lower_dbc": round(float(x.lower_dbc[i]), 2),
            "upper_dbc": round(float(x.upper_dbc[i]), 2),
        }
        moving: _MovingSlip = {
            "kind": "moving_slip",
            "lowest_slip": round(float(x.lowest_slip[i]), 6),
            "highest_slip": round(float(x.highest_slip[i]), 6),
            "over_fixed": round(float(x.over_fixed[i]), 2),
        }
        causes = RULES.rules[decided[i]].causes
        causes += ("supply_flicker",) if asymmetric[i] and supply[i] else ()
        shown[i] = (
            searched,
            *((line,) if x.is_line[i] else ()),
            *((moving,) if x.tracked[i] else ()),
            *map(alternative, causes),
        )
    return shown
