"""Rules that decide on a rotor cage, in reading order: the first that holds.

`x` are columns (`BrokenBarEvidence`); the values of a code are the columns of the same names.
"""

from dataclasses import replace

import numpy as np

from vtox.motor.diagnosis.diagnosers.broken_bar.evidence import (
    DEVELOPING_DBC,
    MAX_FREQUENCY_RANGE_HZ,
    MIN_OVER_FIXED,
    BrokenBarEvidence,
    OperatingPoint,
)
from vtox.motor.diagnosis.diagnosers.broken_bar.load_oscillation import MIN_DISTANCE
from vtox.motor.diagnosis.diagnosers.broken_bar.sidebands import NEEDED_BINS
from vtox.motor.diagnosis.diagnosers.broken_bar.starting import START_WARNING_DB
from vtox.motor.diagnosis.diagnosers.broken_bar.supply_lines import MAX_VOLTAGE_RATIO
from vtox.motor.diagnosis.diagnosers.decision import (
    DecisionTable,
    Rule,
    always,
    doubted,
    rule,
    stated,
)
from vtox.motor.diagnosis.dsp import modulation_spectrum
from vtox.motor.values.arrays import Bool
from vtox.motor.values.baseline import RISE_DB

# Level of broken bars, near 45 dB below the supply line (sources: `DEVELOPING_DBC`).
FAULT_DBC = -45.0
# Bins by which noise moves the place of a line (99 %) if it moves its level by 1 dB (deviation).
# docs/calibration/broken_bar.md#place-of-the-line
PLACE_BINS_PER_DB = 0.21
# A line at half the distance counts down to this level below. A rotor cage makes none.
# docs/calibration/broken_bar.md#lines-at-half-the-distance
MAX_BELOW_DB = 20.0
# A line is not that of a flickering supply if it is sharper over the angle of slip than over time
# by this ratio of power.
MIN_OVER_FLICKER = 2.0
# Sidebands this far apart are of a heavy rotor, if of any. The upper one is then no further off its
# phase than the second. docs/calibration/broken_bar.md#one-sideband-alone
HEAVY_APART_DB, MAX_OFF_SWING_DEG = 9.0, 25.0
# Line in the voltage over line in the current above which a load swings the speed of a drive.
# docs/calibration/broken_bar.md#drives-that-answer-the-cage
SWINGING_RATIO = 1.5
# Uncertainty of the level of a line that a drive answers, dB.
# docs/calibration/broken_bar.md#drives-that-answer-the-cage
ANSWERED_LESS_DB = 12.0
# A level is reported if its deviation in the noise is no more than this.
# docs/calibration/broken_bar.md#levels-in-noise
REPORTED_DEVIATION_DB = 1.0


def level_certain(x: BrokenBarEvidence) -> Bool:
    """Return whether the noise leaves the level of the sidebands certain enough to report it."""
    return x.deviation_db <= REPORTED_DEVIATION_DB


def supply_excluded(x: BrokenBarEvidence) -> Bool:
    """Return whether the voltages are so quiet that the supply cannot have made the lines."""
    return x.voltages & (x.voltage_bound <= MAX_VOLTAGE_RATIO)


def tracks_slip(x: BrokenBarEvidence) -> Bool:
    """Return whether a line moves with the slip so clearly that no supply makes it."""
    return x.tracked & (x.over_fixed > MIN_OVER_FLICKER)


def _slip_not_proven(x: BrokenBarEvidence) -> Bool:
    """Return whether nothing says that the line is at 2sf: not the slip, not the voltages.

    A line taken for one of the rotor's speed may be another.
    """
    by_sensor = np.isin(x.slip_source, ("speed sensor", "slot harmonics"))
    return x.guessed | ~(by_sensor | supply_excluded(x))


def _control_unseen(x: OperatingPoint) -> Bool:
    """Return whether a drive may answer the rotor cage with its voltage, which is not measured."""
    return x.inverter & ~x.voltages


def _answered_near_the_limit(x: BrokenBarEvidence) -> Bool:
    """Return whether a drive answers a line that may be of a developing fault.

    A drive leaves less of a line than an open loop shows, by a few dB.
    """
    return x.answered & x.is_line & (x.level_dbc > DEVELOPING_DBC - ANSWERED_LESS_DB)


def stays_with_voltages(x: BrokenBarEvidence, alone: BrokenBarEvidence) -> Bool:
    """Return whether a find of the currents stays, though a drive's voltage carries its line.

    A load that makes the speed swing moves the voltage by more. It meets an estimated slip by
    chance, but seldom one that was measured.
    """
    swings = ~(x.voltage_ratio <= SWINGING_RATIO) | ~(alone.apart_db < HEAVY_APART_DB)
    return alone.measured | ~swings


def _severe(x: BrokenBarEvidence) -> Bool:
    """Return whether lines are as strong as those of broken bars, at a slip that is not guessed.

    Never behind a drive that changes speed or answers: how is not known well enough.
    """
    certain = ~_slip_not_proven(x) & ~_control_unseen(x) & ~x.supply_moves & ~x.answered
    return (x.level_dbc >= FAULT_DBC) & certain


def _has_not_risen(x: BrokenBarEvidence) -> Bool:
    """Return whether lines have not risen since the baseline was learnt.

    Its scatter does not widen the limit: if that is large the levels learnt were noise.
    """
    return x.change_db <= RISE_DB


def _covers_sidebands(x: BrokenBarEvidence) -> Bool:
    """Return whether a line next to 2sf may cover the sidebands of a rotor cage.

    Either sideband may be the part of a rotor cage's that the line leaves. Over the angle of slip a
    load's line is broad, and may cover its neighbours.
    """
    return (np.maximum(x.lower_dbc, x.upper_dbc) >= DEVELOPING_DBC) | x.tracked


def _is_off_twice_slip(x: BrokenBarEvidence) -> Bool:
    """Return whether a line of a supply that is not excluded is next to 2sf."""
    near_bins = x.off_bins_allowed + PLACE_BINS_PER_DB * x.deviation_db
    off_bins = (x.peak_hz - x.distance_hz) / x.bin_hz
    off = (off_bins < x.shift_low - near_bins) | (off_bins > x.shift_high + near_bins)
    return off & ~x.tracked & ~supply_excluded(x)


def _is_supply_flicker(x: BrokenBarEvidence) -> Bool:
    """Return whether a supply that flickers moves the current as it moves here, and no cage."""
    return x.is_as_of_flicker & ~supply_excluded(x) & ~tracks_slip(x) & ~x.answered


def _is_one_sided(x: BrokenBarEvidence) -> Bool:
    """Return whether a line of the supply made the lower sideband: no swing makes the upper one."""
    open_ = ~supply_excluded(x) & ~tracks_slip(x) & ~x.answered
    return open_ & (x.apart_db >= HEAVY_APART_DB) & (x.off_swing_deg > MAX_OFF_SWING_DEG)


def _line_elsewhere(x: BrokenBarEvidence) -> Bool:
    """Return whether a line may be the rotor cage's at a slip that nameplate or speed do not give.

    Nameplates and speeds are wrong, supplies high: they do not make another line harmless.
    """
    apart = np.abs(x.alternative_hz - x.hz) > modulation_spectrum.LINE_BINS * x.bin_hz
    return (apart | np.isfinite(x.neighbour_hz)) & (x.alternative_dbc >= DEVELOPING_DBC)


LINES = (
    ("distance_hz", "hz"),
    ("lower_sideband_dbc", "lower_dbc"),
    ("upper_sideband_dbc", "upper_dbc"),
)
SLIP: tuple[Rule[OperatingPoint], ...] = (stated("slip_doubts"),)
LEVEL: Rule[BrokenBarEvidence] = rule("level_in_noise", lambda x: ~level_certain(x), "deviation_db")
ESTIMATED: Rule[BrokenBarEvidence] = rule("slip_not_measured", lambda x: ~x.measured)
ASYMMETRY: tuple[Rule[BrokenBarEvidence], ...] = (
    LEVEL,
    rule("slip_not_measured", _slip_not_proven),
    rule("flicker_not_excluded", lambda x: ~(supply_excluded(x) | tracks_slip(x))),
    rule("inverter_without_voltages", lambda x: _control_unseen(x) & ~x.in_voltage),
    rule("sidebands_in_voltage", lambda x: x.in_voltage, *LINES),
)
AT_SLIP = ("slip", "slip_source")
OTHER_LINE = (("level_dbc", "alternative_dbc"), ("line_hz", "alternative_hz"))
LOAD_LINE = (("line_hz", "neighbour_hz"), "distance_hz", "slip_source")
RANGE = ("range_hz", "frequency_range_hz")
# Reasons not to call a rotor cage sound. Control that answers a cage by its voltage while the speed
# moves would take the lines away with the prediction.
LINE_ELSEWHERE: tuple[Rule[BrokenBarEvidence], ...] = (
    rule(
        "line_at_another_slip",
        lambda x: _line_elsewhere(x) & x.measured,
        *OTHER_LINE,
        "distance_hz",
        *AT_SLIP,
    ),
    rule(
        "line_outside_estimated_slip",
        lambda x: _line_elsewhere(x) & ~x.measured,
        *OTHER_LINE,
        ("low_hz", "searched_low_hz"),
        ("high_hz", "searched_high_hz"),
    ),
)
NOT_SOUND: tuple[Rule[BrokenBarEvidence], ...] = (
    rule("inverter_without_voltages", _control_unseen),
    rule("supply_not_steady", lambda x: x.supply_moves, RANGE, limit_hz=MAX_FREQUENCY_RANGE_HZ),
    rule("sidebands_in_voltage", _answered_near_the_limit, *LINES),
    stated("slip_guess"),
    *doubted(SLIP, *LINE_ELSEWHERE),
)

# Without these no line is searched, and nothing is learnt.
CONDITIONS: DecisionTable[OperatingPoint] = DecisionTable(
    # In a start the sweep of the lower sideband decides.
    rule(
        "rotor_asymmetry_in_start",
        lambda x: x.start_level_db >= START_WARNING_DB,
        ("level_db", "start_level_db"),
        ("least_share", "start_share"),
        state="warning",
        doubts=(stated("input_problems"),),
    ),
    stated("input_problems"),
    *doubted(
        SLIP,
        rule("load_too_low", lambda x: x.load_a < x.needed_a, "load_a", "needed_a"),
        rule(
            "supply_not_steady",
            lambda x: ~(x.frequency_range_hz <= MAX_FREQUENCY_RANGE_HZ) & ~x.supply_moves,
            RANGE,
            limit_hz=MAX_FREQUENCY_RANGE_HZ,
        ),
        stated("slip_problems"),
        stated("too_short", lambda x: x.hopeless),
    ),
)
# Nor is anything learnt if this holds.
STEADY: DecisionTable[BrokenBarEvidence] = DecisionTable(
    *CONDITIONS.rules,
    rule("current_not_steady", lambda x: x.spreads & ~x.tracked, "low_a", "high_a", doubts=SLIP),
)

FINDINGS: tuple[Rule[BrokenBarEvidence], ...] = doubted(
    SLIP,
    stated("too_short", lambda x: ~x.is_strong & ~(x.bins >= NEEDED_BINS)),
    rule(
        "noise_hides_sidebands",
        lambda x: ~x.is_line & ~(x.detectable_dbc <= x.sound_dbc),
        "detectable_dbc",
        ("needed_dbc", "sound_dbc"),
        doubts=LINE_ELSEWHERE,
    ),
    rule(
        "no_sidebands",
        lambda x: ~x.is_line,
        "detectable_dbc",
        *AT_SLIP,
        state="normal",
        unless=NOT_SOUND,
    ),
    # Outside the interval of the slip the place of the line decides, not its level.
    rule(
        "load_oscillation_hides_sidebands",
        lambda x: np.isfinite(x.neighbour_hz) & _covers_sidebands(x),
        *LOAD_LINE,
    ),
    rule(
        "load_oscillation",
        lambda x: np.isfinite(x.neighbour_hz),
        *LOAD_LINE,
        state="normal",
        unless=NOT_SOUND,
    ),
    rule(
        "sidebands_in_noise",
        lambda x: ~x.is_strong & ~(x.upper_bound_dbc <= x.sound_dbc),
        *LINES,
        "floor_dbc",
        "upper_bound_dbc",
        doubts=(LEVEL, *LINE_ELSEWHERE),
    ),
    rule(
        "sidebands_of_sound_rotor_cage",
        lambda x: ~x.is_strong,
        *LINES,
        limit_dbc=DEVELOPING_DBC,
        state="normal",
        doubts=(LEVEL,),
        unless=NOT_SOUND,
    ),
    rule(
        "sidebands_in_voltage",
        lambda x: ~(x.voltage_ratio <= MAX_VOLTAGE_RATIO) & ~x.answered,
        *LINES,
        doubts=(LEVEL,),
        causes=("voltage_line",),
    ),
    rule(
        "sidebands_are_harmonics",
        lambda x: x.half_dbc >= x.level_dbc - MAX_BELOW_DB,
        *LINES,
        "half_dbc",
        doubts=(LEVEL,),
        causes=("drive_hunting", "load_oscillation"),
    ),
    rule(
        "line_does_not_follow_slip",
        lambda x: x.tracked & ~(x.over_fixed > MIN_OVER_FIXED),
        *LINES,
        "lowest_slip",
        "highest_slip",
        doubts=(LEVEL,),
        causes=("load_oscillation",),
    ),
    rule(
        "load_oscillation_or_broken_bars",
        lambda x: ~(x.distance_from_load >= MIN_DISTANCE),
        *LINES,
        doubts=(LEVEL, ESTIMATED),
        causes=("load_oscillation",),
    ),
    rule(
        "line_at_another_slip",
        _is_off_twice_slip,
        "level_dbc",
        ("line_hz", "peak_hz"),
        "distance_hz",
        *AT_SLIP,
        doubts=(LEVEL,),
        causes=("supply_flicker", "load_oscillation"),
    ),
    rule(
        "supply_flicker_or_broken_bars",
        _is_supply_flicker,
        *LINES,
        doubts=(LEVEL, ESTIMATED),
        causes=("supply_flicker", "load_oscillation"),
    ),
    rule(
        "sideband_alone",
        _is_one_sided,
        *LINES,
        "apart_db",
        "off_swing_deg",
        doubts=(LEVEL, ESTIMATED),
        causes=("supply_flicker",),
    ),
    # Lines that the machine may have had when its baseline was learnt.
    rule(
        "rotor_asymmetry_as_baseline",
        lambda x: _has_not_risen(x) & _severe(x),
        *LINES,
        "baseline_dbc",
        state="warning",
        doubts=ASYMMETRY,
        causes=("load_oscillation", "sound_rotor_cage"),
    ),
    rule(
        "sidebands_as_baseline",
        _has_not_risen,
        *LINES,
        "baseline_dbc",
        state="normal",
        doubts=ASYMMETRY,
        unless=NOT_SOUND,
        causes=("load_oscillation", "sound_rotor_cage"),
    ),
    rule(
        "rotor_asymmetry",
        always,
        *LINES,
        *AT_SLIP,
        fault=_severe,
        doubts=ASYMMETRY,
        causes=("load_oscillation", "sound_rotor_cage"),
    ),
)
RULES: DecisionTable[BrokenBarEvidence] = DecisionTable(*STEADY.rules, *FINDINGS)
# Signs of the cage at any slip, for a baseline.
CAGE: DecisionTable[BrokenBarEvidence] = DecisionTable(
    *STEADY.rules, *(replace(r, unless=()) for r in FINDINGS)
)
