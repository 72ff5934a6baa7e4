"""What lets power be counted and the load be estimated, in reading order: the first rule decides.

`x` are columns (`PowerConditions`); the values of a code are the columns of the same names.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vtox.diagnosis.diagnosers.columns import Objects, Stated, objects
from vtox.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.diagnosis.diagnosers.current.phase_pairing import MOTORING_LAG_DEG
from vtox.diagnosis.diagnosers.current.terminal_voltages import missing_voltages
from vtox.diagnosis.diagnosers.decision import DecisionTable, Mask, always, rule, stated
from vtox.diagnosis.dsp.power import TerminalPower
from vtox.diagnosis.energy.rated_losses import RatedColumns
from vtox.diagnosis.energy.shaft_load import ShaftEstimate
from vtox.values.arrays import Bool, Float64
from vtox.values.domain import CURRENTS

# Below this share of rated load constant losses are most of the input, and the least error in them
# is a large one in the efficiency.
_LEAST_LOAD = 0.2
# No motor carries more for long: then the nameplate is another motor's.
_LARGEST_LOAD = 1.6
# Widest interval of the load that is reported, over rated load.
_WIDEST_INTERVAL = 0.15
# Frequency of a drive over the rated one within which losses can be scaled.
_DRIVE_RANGE = (0.5, 1.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerConditions:
    """Columns of length batch: what speaks against counting the measured power.

    What the channels and the length decide is one value for all.
    """

    input_problems: Stated
    two_currents: bool
    frames: bool
    duration_s: Float64
    missing_currents: Objects
    three_voltages: bool
    missing_voltages: Objects
    voltage_problems: Stated
    is_reversed: Bool
    reversed_channel: Objects
    orders_differ: Bool
    unpaired: Bool
    power_factor_angle_deg: Float64


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadConditions:
    """Columns of length batch: what speaks against an estimate of the load.

    `why` has the code of each nameplate that leads to none, and whose that is. `outside` is a drive
    at a frequency to which losses cannot be scaled.
    """

    why: Mapping[str, Bool]
    load_ratio: Float64
    interval_ratio: Float64
    outside: Bool
    frequency_ratio: Float64


# Power is counted where the last rule decides.
MEASURED: DecisionTable[PowerConditions] = DecisionTable(
    stated("input_problems"),
    rule("missing_channel", lambda x: not x.two_currents, ("channels", "missing_currents")),
    rule("record_too_short", lambda x: not x.frames, "duration_s", needed_s=0.2),
    rule("missing_channel", lambda x: not x.three_voltages, ("channels", "missing_voltages")),
    stated("voltage_problems"),
    rule("channel_reversed", lambda x: x.is_reversed, ("channel", "reversed_channel")),
    rule("phase_orders_differ", lambda x: x.orders_differ),
    rule("voltages_not_paired", lambda x: x.unpaired, "power_factor_angle_deg"),
    rule("power_measured", always, state="normal"),
)

# Codes of a nameplate that leads to no estimate.
_OF_NAMEPLATE = (
    "rated_power_unknown",
    "rated_voltage_unknown",
    "rated_supply_or_poles_unknown",
    "rated_efficiency_unknown",
    "rated_current_unknown",
    "class_without_efficiency",
    "losses_contradict_efficiency",
    "inverter_needs_resistance",
)
_IMPLAUSIBLE = (-0.05, _LARGEST_LOAD)


def _says(code: str) -> Mask[LoadConditions]:
    return lambda x: x.why.get(code, False)


ESTIMATED: DecisionTable[LoadConditions] = DecisionTable(
    *(rule(code, _says(code)) for code in _OF_NAMEPLATE),
    rule("drive_frequency_outside", lambda x: x.outside, "frequency_ratio"),
    rule(
        "load_contradicts_nameplate",
        lambda x: ~((x.load_ratio > _IMPLAUSIBLE[0]) & (x.load_ratio < _IMPLAUSIBLE[1])),
        "load_ratio",
    ),
    rule(
        "load_too_low_to_estimate",
        lambda x: x.load_ratio < _LEAST_LOAD,
        "load_ratio",
        least_ratio=_LEAST_LOAD,
    ),
    rule("interval_too_wide", lambda x: x.interval_ratio > _WIDEST_INTERVAL, "interval_ratio"),
    rule("load_estimated", always, state="normal"),
)


def conditions(analysis: CurrentAnalysis, x: TerminalPower | None) -> PowerConditions:
    """Return the conditions of a batch; `x` is its power."""
    count, found = len(analysis.recordings), (analysis.currents, analysis.voltages)
    two, three = len(analysis.currents) >= 2, len(analysis.voltages) == 3
    signs = np.concatenate([analysis.signs, analysis.voltage_signs], axis=1)
    is_reversed = np.asarray((signs < 0).any(axis=1))
    orders_differ = unpaired = np.zeros(count, bool)
    # Values of codes that no record of the batch has are left blank.
    missing_i = missing_v = reversed_channel = none = np.empty(count, object)
    lag_deg = none
    if not two:
        missing_i = objects([tuple(c for c in CURRENTS if c not in found[0])] * count)
    if not three:
        missing_v = objects([missing_voltages(analysis.recordings[0].channels)] * count)
    elif x is not None:
        low, high = MOTORING_LAG_DEG
        lag_deg = np.degrees(np.arctan2(x.reactive_var, x.positive_w))
        orders_differ = x.negative_v > x.positive_v
        unpaired = ~((lag_deg >= low) & (lag_deg <= high)) | (
            analysis.voltage_rotation_deg % 360 != 0
        )
    if is_reversed.any():
        names = [name for channels in found for name in (*channels, "", "", "")[:3]]
        reversed_channel = objects(names)[signs.argmin(axis=1)]
    paired = zip(analysis.voltage_problems, analysis.pairing_problems, strict=True)
    return PowerConditions(
        input_problems=analysis.problems,
        two_currents=two,
        frames=x is not None,
        duration_s=np.full(count, analysis.duration_s) if x is None else none,
        missing_currents=missing_i,
        three_voltages=three,
        missing_voltages=missing_v,
        voltage_problems=[own[:1] or ((pair,) if pair else ()) for own, pair in paired],
        is_reversed=is_reversed,
        reversed_channel=reversed_channel,
        orders_differ=orders_differ,
        unpaired=unpaired,
        power_factor_angle_deg=lag_deg,
    )


def estimate_columns(
    analysis: CurrentAnalysis, rated: RatedColumns, load: ShaftEstimate
) -> LoadConditions:
    """Return what speaks against the estimates of a batch."""
    ratio, outside = analysis.f0_hz / rated.supply_hz, rated.driven
    if outside.any():
        low, high = _DRIVE_RANGE
        outside = outside & ~((ratio >= low) & (ratio <= high))
    return LoadConditions(
        why={code: np.array([w == code for w in rated.why]) for code in set(rated.why) if code},
        load_ratio=load.load_ratio,
        interval_ratio=2 * load.shaft_half_w / rated.power_w,
        outside=outside,
        frequency_ratio=ratio,
    )
