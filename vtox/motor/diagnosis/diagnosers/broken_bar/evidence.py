"""Columns that the rules of broken bars read: slip and load, then the sidebands."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from math import ceil, sqrt
from typing import Any

import numpy as np

from vtox.motor.diagnosis.diagnosers.broken_bar.line_place import place_shift
from vtox.motor.diagnosis.diagnosers.broken_bar.moving_slip import tracked_pairs
from vtox.motor.diagnosis.diagnosers.broken_bar.moving_supply import moving_pairs
from vtox.motor.diagnosis.diagnosers.broken_bar.sidebands import (
    NEEDED_BINS,
    SidebandPairs,
    least_slip,
    off_bins_allowed,
    sideband_pairs,
)
from vtox.motor.diagnosis.diagnosers.broken_bar.starting import Starts
from vtox.motor.diagnosis.diagnosers.columns import Objects, Stated, extend, objects, spread, take
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis, select
from vtox.motor.diagnosis.diagnosers.current.slip import SlipAnalysis
from vtox.motor.diagnosis.diagnosers.current.slip_prior import Slip
from vtox.motor.diagnosis.diagnosers.features import LEAST_RECORDS, SLIP_LINE_SHARE, SLIP_SIDEBANDS
from vtox.motor.diagnosis.dsp import demodulation
from vtox.motor.values.arrays import Bool, Float64, Int
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Reason

# Level of the lower sideband. Sound above 54 dB below the supply line, a developing fault of the
# rotor cage from there (Penrose 2006; Culbert & Letal 2015; the limits are empirical).
DEVELOPING_DBC = -54.0
# Over the angle of slip a line may be so much weaker than the rotor cage makes it, dB. The movement
# of the slip is not known exactly. docs/calibration/broken_bar.md#slip-that-moves
TRACKING_LOSS_DB = 3.0
MIN_LOAD = 0.35
# Beyond this range of its frequency a supply spreads all lines. A drive whose voltages are measured
# may move by the second, of its mean. docs/calibration/broken_bar.md#drives-that-change-speed
MAX_FREQUENCY_RANGE_HZ = 0.4
MAX_MOVING_SHARE = 0.25
# Longest record that a reason asks for, s.
LONGEST_RECORD_S = 300.0
# The sidebands spread when the slip moves, by about 1.5 x if the current changes by x.
MAX_SPREAD_BINS = 4.0
MAX_SPREAD = 0.1
SLIP_PER_CURRENT = 1.5
# The slip is tracked from this spread on, up to this range of the current over its mean.
MIN_TRACKED_BINS = 1.5
MAX_TRACKED_RANGE = 0.6
# A line is sharper over the angle of slip than over time by this ratio of power, or does not follow
# the slip.
MIN_OVER_FIXED = 1.5
# Least share of the records learnt that must have shown the line, of all that would have.
# docs/calibration/broken_bar.md#lines-that-are-learnt
LEAST_SHARE = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """Columns of length batch: slip and load, known before a line is searched.

    `start_level_db` is the sideband of a start, NaN if there is none. The slip, from
    `slip_source`, is `slip` within `slip_half`, from `slip_low` to `slip_high`. `slip_problems`
    says why it is not known. `slip_doubts` are the doubts about it, `slip_guess` the same if only
    rated power and load give it, the guess first.

    `too_short` gives the needed length if a record is too short for the least slip; `hopeless`: it
    is too short for any slip. `low_a` and `high_a` are the least and the largest mean of 0.5 s,
    A rms, `current_range` their difference over the mean.
    """

    input_problems: Stated
    start_level_db: Float64
    start_share: Float64
    inverter: Bool
    voltages: Bool
    load_a: Float64
    needed_a: Float64
    low_a: Float64
    high_a: Float64
    current_range: Float64
    frequency_range_hz: Float64
    slip: Float64
    slip_low: Float64
    slip_high: Float64
    slip_half: Float64
    slip_source: Objects
    measured: Bool
    guessed: Bool
    slip_problems: Stated
    slip_doubts: Stated
    slip_guess: Stated
    too_short: Stated
    hopeless: Bool
    f0_hz: Float64
    distance_hz: Float64

    @property
    def supply_moves(self) -> Bool:
        """Whether a drive changes speed, and its voltages are measured."""
        share = self.frequency_range_hz / self.f0_hz
        moves = ~(self.frequency_range_hz <= MAX_FREQUENCY_RANGE_HZ)
        return moves & self.inverter & self.voltages & (share <= MAX_MOVING_SHARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenBarEvidence(OperatingPoint, SidebandPairs):
    """Columns of length batch: conditions, the pair of sidebands, and the level compared with.

    `bin_hz` is 1/T. If the slip is `tracked`, the pair is over its angle: the slip moved from
    `lowest_slip` to `highest_slip`, and the line is `over_fixed` times as high as at a fixed
    frequency. `spreads`: the slip moves so far that the sidebands are no lines over time.
    The movement of the slip puts the line of a rotor cage from `shift_low` to `shift_high` bins
    from 2sf. `off_bins_allowed` is NaN if the place of the line decides nothing. The current moves
    so far that the movement of the slip spreads the sidebands over `spread_bins`.

    `baseline_dbc` is the level learnt, NaN if there is none, and `change_db` the level above it.
    `in_voltage`: the voltages were left out, as the drive may answer the line with them.
    """

    bin_hz: Float64
    tracked: Bool
    lowest_slip: Float64
    highest_slip: Float64
    over_fixed: Float64
    spreads: Bool
    spread_bins: Float64
    shift_low: Float64
    shift_high: Float64
    off_bins_allowed: Float64
    baseline_dbc: Float64
    change_db: Float64
    in_voltage: Bool

    @property
    def sound_dbc(self) -> Float64:
        """Up to which level a line that is measured may be of a sound rotor cage, dBc."""
        return np.where(self.tracked, DEVELOPING_DBC - TRACKING_LOSS_DB, DEVELOPING_DBC)

    @property
    def counts_in_mean(self) -> Bool:
        """Whether a line of the cage would be sharp within the interval of the slip, at the grid.

        Behind a drive the voltage may hold a part of it.
        """
        sharp = (self.spread_bins <= MIN_TRACKED_BINS) & ~self.tracked
        return sharp & ~self.inverter & (self.bins >= NEEDED_BINS)

    @property
    def searched_low_hz(self) -> Float64:
        """Twice the least slip frequency, Hz."""
        return 2 * self.slip_low * self.f0_hz

    @property
    def searched_high_hz(self) -> Float64:
        """Twice the largest slip frequency, Hz."""
        return 2 * self.slip_high * self.f0_hz


def conditions(
    analysis: CurrentAnalysis, slip_analysis: SlipAnalysis, starts: Starts
) -> OperatingPoint:
    """Return the conditions of a batch."""
    slips, f0_hz = slip_analysis.slips, analysis.f0_hz
    moves = demodulation.unsteadiness(analysis.envelope, analysis.rate_hz)
    value, high = np.array([s.value for s in slips]), np.array([s.high for s in slips])
    measured = np.array([s.is_measured for s in slips])
    # An estimated slip may be larger than its least: a fault can still be found, health not.
    bin_hz = slip_analysis.modulation.bin_hz
    hopeless = np.where(measured, value, high) * 2 * f0_hz < NEEDED_BINS * bin_hz
    least = np.array([least_slip(s) for s in slips])
    short = hopeless | (least * 2 * f0_hz < NEEDED_BINS * bin_hz)
    problems = analysis.voltage_problems
    has_voltages = bool(analysis.envelope_v.shape[-1])
    return OperatingPoint(
        input_problems=starts.problems,
        start_level_db=starts.level_db,
        start_share=10 ** (starts.level_db / 20),
        inverter=np.array([m.supply == "inverter" for m in analysis.motors]),
        voltages=np.array([has_voltages and not p for p in problems]),
        load_a=analysis.current_rms_a,
        needed_a=MIN_LOAD * np.array([m.rated_current_a or 0.0 for m in analysis.motors]),
        low_a=moves.lowest / sqrt(2),
        high_a=moves.highest / sqrt(2),
        current_range=moves.amplitude_range,
        frequency_range_hz=moves.frequency_range_hz,
        slip=value,
        slip_low=np.array([s.low for s in slips]),
        slip_high=high,
        slip_half=np.array([s.half for s in slips]),
        slip_source=objects([s.source for s in slips]),
        measured=measured,
        guessed=np.array([s.is_guessed for s in slips]),
        slip_problems=[() if s.is_known or not s.reason else (s.reason,) for s in slips],
        slip_doubts=[s.doubts for s in slips],
        slip_guess=[_guess(s) for s in slips],
        too_short=[
            (too_short_reason(slips[i], float(f0_hz[i]), analysis.duration_s),) if is_short else ()
            for i, is_short in enumerate(short.tolist())
        ],
        hopeless=hopeless,
        f0_hz=f0_hz,
        distance_hz=2 * value * f0_hz,
    )


def _guess(slip: Slip) -> tuple[Reason, ...]:
    """Return why a rotor cage cannot be called sound: its slip is from the rated power alone."""
    if slip.source != "rated power and load":
        return ()
    return (slip.doubts[-1], *slip.doubts[:-1])


def too_short_reason(slip: Slip, f0_hz: float, duration_s: float) -> Reason:
    """Return the needed length of a record at this slip, if any length would do."""
    least = least_slip(slip)
    values = {"slip": least, "slip_source": slip.source}
    if not least * 2 * f0_hz * LONGEST_RECORD_S >= NEEDED_BINS:
        return Reason("slip_too_small" if slip.is_measured else "slip_possibly_too_small", values)
    needed_s = float(ceil(NEEDED_BINS / (2 * least * f0_hz) + 2 * demodulation.EDGE_S))
    return Reason(
        "record_too_short_for_slip" if slip.is_measured else "record_too_short_for_least_slip",
        {**values, "duration_s": duration_s, "needed_s": needed_s},
    )


def evidence(
    analysis: CurrentAnalysis,
    slip_analysis: SlipAnalysis,
    c: OperatingPoint,
    baselines: Sequence[Baseline | None],
    rows: Int,
) -> BrokenBarEvidence:
    """Return the columns of a batch; lines are searched in some rows, the others are blank.

    Nearly all records that are too short end before, as their conditions exclude a line.
    """
    count = len(baselines)
    if not len(rows):
        return extend(BrokenBarEvidence, c)
    if len(rows) == count:
        return _evidence(analysis, slip_analysis, c, baselines)
    x = _evidence(
        select(analysis, rows),
        slip_analysis.select_spectra(rows),
        take(c, rows),
        [baselines[i] for i in rows.tolist()],
    )
    of_all = {f.name: getattr(c, f.name) for f in fields(OperatingPoint)}
    return replace(spread(x, rows, count), **of_all)


def _evidence(
    analysis: CurrentAnalysis,
    slip_analysis: SlipAnalysis,
    c: OperatingPoint,
    baselines: Sequence[Baseline | None],
) -> BrokenBarEvidence:
    count, bin_hz = len(c.load_a), slip_analysis.modulation.bin_hz
    usable = np.array([not p for p in analysis.problems])
    pairs = sideband_pairs(analysis, slip_analysis)
    spread_bins = c.current_range * SLIP_PER_CURRENT * pairs.bins
    spreads = spread_bins > np.maximum(MAX_SPREAD_BINS, MAX_SPREAD * pairs.bins)
    known = np.array([not p for p in c.slip_problems])
    can_be_tracked = usable & known & ~c.inverter & (spread_bins > MIN_TRACKED_BINS)
    (rows,) = (can_be_tracked & (c.current_range <= MAX_TRACKED_RANGE)).nonzero()
    columns: dict[str, Any] = {
        f.name: np.array(getattr(pairs, f.name)) for f in fields(SidebandPairs)
    }
    moved: dict[str, Any] = {
        n: np.full(count, np.nan) for n in ("lowest_slip", "highest_slip", "over_fixed")
    }
    tracked = np.zeros(count, bool)
    (moving,) = (usable & known & c.supply_moves).nonzero()
    if moving.size:
        beyond = moving_pairs(analysis, slip_analysis, moving)
        for name, column in columns.items():
            column[moving] = getattr(beyond, name)
    if rows.size:
        found, tracking = tracked_pairs(analysis, slip_analysis, rows)
        better = (found.is_line & (tracking.over_fixed > MIN_OVER_FIXED)) | spreads[rows]
        tracked[rows] = better
        for table, source in ((columns, found), (moved, tracking)):
            for name, column in table.items():
                column[rows[better]] = getattr(source, name)[better]
    (strong,) = ((columns["statistic"] > 1) & usable).nonzero()
    baseline_dbc = np.array(
        [_learnt_dbc(b, a) for b, a in zip(baselines, c.load_a.tolist(), strict=True)]
    )
    return extend(
        BrokenBarEvidence,
        c,
        **columns,
        **moved,
        **_movement(analysis, columns, strong),
        bin_hz=np.full(count, bin_hz),
        tracked=tracked,
        spreads=c.current_range * SLIP_PER_CURRENT * columns["bins"]
        > np.maximum(MAX_SPREAD_BINS, MAX_SPREAD * columns["bins"]),
        spread_bins=spread_bins,
        off_bins_allowed=off_bins_allowed(slip_analysis.slips, c.f0_hz, bin_hz),
        baseline_dbc=baseline_dbc,
        change_db=columns["level_dbc"] - baseline_dbc,
        in_voltage=np.zeros(count, bool),
    )


def without_voltages(
    analysis: CurrentAnalysis,
    slip_analysis: SlipAnalysis,
    c: OperatingPoint,
    baselines: Sequence[Baseline | None],
    rows: Int,
) -> BrokenBarEvidence:
    """Return the columns of some rows as their currents alone show them, at the same slip."""
    c = replace(take(c, rows), voltages=np.zeros(len(rows), bool))
    alone = replace(slip_analysis.select_spectra(rows), voltage=None)
    known = [baselines[i] for i in rows.tolist()]
    y = _evidence(select(analysis, rows), alone, c, known)
    return replace(y, in_voltage=np.ones(len(rows), bool))


def _movement(analysis: CurrentAnalysis, pair: dict[str, Any], rows: Any) -> dict[str, Any]:
    """Return where the movement of the load puts the lines of strong pairs."""
    count = len(pair["hz"])
    shift = np.zeros((2, count))
    if rows.size:
        hz, bins = pair["hz"][rows], pair["bins"][rows]
        inner = demodulation.inner_points(analysis.envelope.shape[-1], analysis.rate_hz)
        amplitude = np.abs(analysis.envelope[rows, inner]).astype(np.float64)
        for k, i in enumerate(rows):
            points = round(analysis.rate_hz / float(hz[k]))
            shift[:, i] = place_shift(amplitude[k], points, float(bins[k]))
    return {"shift_low": shift[0], "shift_high": shift[1]}


def _learnt_dbc(baseline: Baseline | None, load_a: float) -> float:
    """Return the healthy level of the sidebands at a load; NaN if the cage did not make it.

    A line of the cage is in nearly all records that would show it, at all loads. A supply that
    flickers at twice slip frequency of one record, and a load, make a line in some.
    """
    if baseline is None:
        return np.nan
    level, over_all = baseline.level(SLIP_SIDEBANDS, load_a), baseline.any_load(SLIP_SIDEBANDS)
    share = baseline.any_load(SLIP_LINE_SHARE)
    if level is None or over_all is None or over_all.n < LEAST_RECORDS:
        return np.nan
    if share is not None and share.mean < LEAST_SHARE:
        return np.nan
    return min(level.mean, over_all.mean)
