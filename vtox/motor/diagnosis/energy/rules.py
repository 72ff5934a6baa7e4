"""Rules that let power be counted and the load be estimated, in order: the first one decides.

`x` are columns (`_PowerConditions`); the values of a code are the columns of the same names.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vtox.motor.diagnosis.diagnosers.columns import Objects, Stated, objects
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.phase_pairing import MOTORING_LAG_DEG
from vtox.motor.diagnosis.diagnosers.current.terminal_voltages import missing_voltages
from vtox.motor.diagnosis.diagnosers.decision import DecisionTable, Mask, always, rule, stated
from vtox.motor.diagnosis.energy.rated_losses import NAMEPLATE_CODES, RatedColumns
from vtox.motor.diagnosis.energy.shaft_load import ShaftEstimate
from vtox.motor.values.arrays import Bool, Float64
from vtox.motor.values.domain import CURRENTS
from vtox.motor.values.terminal_power import NEGATIVE_V, POSITIVE_V, POWERS, SUMS

# Below this share of rated load constant losses are most of the input, and the least error in them
# is a large one in the efficiency.
_LEAST_LOAD = 0.2
# No motor carries more for long: then the nameplate is another motor's.
_LARGEST_LOAD = 1.6
# Widest interval of the load that is reported, over rated load.
_WIDEST_INTERVAL = 0.15
# Frequency of a drive over the rated one within which losses can be scaled.
_DRIVE_RANGE = (0.5, 1.1)
# A motor draws its magnetising current: at rated load large ones lag by 18 degrees. Heaters
# lag by none, and capacitors correct to a power factor of 0.95 to 0.98, 11 to 18 degrees.
_LEAST_LAG = np.tan(np.radians(5.0))
# Times the sums it gives values that are negative if voltages are in the wrong order, or power lags
# too little or too much for a motor.
_RIGHT = np.zeros((SUMS, 3))
_RIGHT[[POSITIVE_V, NEGATIVE_V], 0] = 1, -1
_LEAST, _MOST = np.radians(MOTORING_LAG_DEG)
_RIGHT[POWERS, 1] = -np.sin(_LEAST), np.cos(_LEAST), 0, 0
_RIGHT[POWERS, 2] = np.sin(_MOST), -np.cos(_MOST), 0, 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _PowerConditions:
    """Columns of length batch: objections to counting the measured power.

    Objections by the channels and the length are one value for all.
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
class _LoadConditions:
    """Columns of length batch: objections to an estimate of the load.

    `why` maps each code of a nameplate that leads to no estimate to its records. `outside` is a
    drive at a frequency to which losses cannot be scaled. `resistive` is a load without reactive
    power.
    """

    why: Mapping[str, Bool]
    load_ratio: Float64
    interval_ratio: Float64
    outside: Bool
    frequency_ratio: Float64
    resistive: Bool
    power_factor: Float64


# Power is counted if the last rule decides.
MEASURED: DecisionTable[_PowerConditions] = DecisionTable(
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

_IMPLAUSIBLE = (-0.05, _LARGEST_LOAD)


def _has_reason(code: str) -> Mask[_LoadConditions]:
    return lambda x: x.why.get(code, False)


ESTIMATED: DecisionTable[_LoadConditions] = DecisionTable(
    *(rule(code, _has_reason(code)) for code in NAMEPLATE_CODES),
    rule("power_factor_of_no_motor", lambda x: x.resistive, "power_factor"),
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


def conditions(analysis: CurrentAnalysis, sums: Float64 | None) -> _PowerConditions | None:
    """Return the conditions of a batch; None if there is no objection to any record.

    `sums` are those of its power.
    """
    count, found = len(analysis.recordings), (analysis.currents, analysis.voltages)
    two, three = len(analysis.currents) >= 2, len(analysis.voltages) == 3
    rotated, signs = analysis.voltage_rotation_deg, (analysis.signs, analysis.voltage_signs)
    stated = any(
        map(any, (analysis.problems, analysis.voltage_problems, analysis.pairing_problems))
    )
    if three and sums is not None and not (stated or np.count_nonzero(rotated)):
        if all(np.minimum.reduce(x, axis=None) >= 0 for x in (sums @ _RIGHT, *signs)):
            return None
    is_reversed = np.asarray((np.concatenate(signs, axis=1) < 0).any(axis=1))
    names = [name for channels in found for name in (*channels, "", "", "")[:3]]
    orders_differ = unpaired = np.zeros(count, bool)
    lag_deg = np.full(count, np.nan)
    if three and sums is not None:
        low, high = MOTORING_LAG_DEG
        active_w, reactive_var, *_ = sums.T[POWERS]
        lag_deg = np.degrees(np.arctan2(reactive_var, active_w))
        orders_differ = sums[:, NEGATIVE_V] > sums[:, POSITIVE_V]
        unpaired = ~((lag_deg >= low) & (lag_deg <= high)) | (rotated % 360 != 0)
    paired = zip(analysis.voltage_problems, analysis.pairing_problems, strict=True)
    return _PowerConditions(
        input_problems=analysis.problems,
        two_currents=two,
        frames=sums is not None,
        duration_s=np.full(count, analysis.duration_s),
        missing_currents=objects([tuple(c for c in CURRENTS if c not in found[0])] * count),
        three_voltages=three,
        missing_voltages=objects([missing_voltages(analysis.recordings[0].channels)] * count),
        voltage_problems=[own[:1] or ((pair,) if pair else ()) for own, pair in paired],
        is_reversed=is_reversed,
        reversed_channel=objects(names)[np.concatenate(signs, axis=1).argmin(axis=1)],
        orders_differ=orders_differ,
        unpaired=unpaired,
        power_factor_angle_deg=lag_deg,
    )


def estimate_columns(
    analysis: CurrentAnalysis, rated: RatedColumns, load: ShaftEstimate
) -> _LoadConditions | None:
    """Return the objections to the estimates of a batch; None if there are none."""
    ratio, interval = load.load_ratio, 2 * load.shaft_half_w / rated.power_w
    active_w, reactive_var, *_ = analysis.power_sums.T[POWERS]
    resistive = np.abs(reactive_var) < _LEAST_LAG * active_w
    if rated.usual:
        usual = (ratio >= _LEAST_LOAD) & (ratio < _LARGEST_LOAD) & (interval <= _WIDEST_INTERVAL)
        usual &= ~resistive
        if np.count_nonzero(usual) == len(usual):
            return None
    low, high = _DRIVE_RANGE
    of_rated = analysis.f0_hz / rated.supply_hz
    return _LoadConditions(
        why={code: rated.why == k for k, code in enumerate(NAMEPLATE_CODES, 1)},
        load_ratio=ratio,
        interval_ratio=interval,
        outside=rated.driven & ~((of_rated >= low) & (of_rated <= high)),
        frequency_ratio=of_rated,
        resistive=resistive,
        power_factor=np.cos(np.arctan2(reactive_var, active_w)),
    )
