"""Mistakes of wiring and scale: swapped, reversed, wrong by 10 or 1,000, another quantity."""

from typing import Any

import numpy as np

from evaluation.inputs.mistake import (
    Mistake,
    mistake,
    moved,
    on,
    without,
)
from evaluation.inputs.samples import last_part, scaled
from vtox.motor.values.domain import CURRENTS, VOLTAGES

SOUND = "asymmetry_within_limit"
CLAMP = "clamp_changed currents_do_not_sum_to_zero channel_scale_differs"
NOT_PAIRED = f"{SOUND} voltages_not_paired voltages_not_paired_or_generating"
ABOVE, BELOW = "current_far_above_rated", "current_far_below_rated"
LEAK = "leakage_implausible leakage_as_large_as_phase_current"


def _with_noise(level: float) -> Any:
    return lambda x, rng: (level * rng.standard_normal(len(x))).astype(np.float32)


def _other_load(x: Any, rng: np.random.Generator) -> Any:
    """Return the current of another machine: 40 % more, by 25 degrees later."""
    return np.roll(1.4 * x, 14)


def _offset(share: float) -> Any:
    return lambda x, rng: x + np.float32(share * np.abs(x).max())


def _rectified(x: Any, rng: np.random.Generator) -> Any:
    return np.abs(x)


def _half_wave(x: Any, rng: np.random.Generator) -> Any:
    return np.maximum(x, 0)


CURRENT_WIRING: tuple[Mistake, ...] = (
    mistake("ia and ib swapped", moved(ia="ib", ib="ia"), turn_short=NOT_PAIRED),
    mistake("ib and ic swapped", moved(ib="ic", ic="ib"), turn_short=NOT_PAIRED),
    mistake(
        "currents turned by one phase", moved(ia="ib", ib="ic", ic="ia"), turn_short=NOT_PAIRED
    ),
    mistake("currents turned by two", moved(ia="ic", ib="ia", ic="ib"), turn_short=NOT_PAIRED),
    mistake("ia reversed", on("ia", by=scaled(-1)), turn_short=NOT_PAIRED),
    mistake("ib and ic reversed", on("ib", "ic", by=scaled(-1)), turn_short=NOT_PAIRED),
    mistake("all currents reversed", on(*CURRENTS, by=scaled(-1)), turn_short=NOT_PAIRED),
    mistake("ib carries ia", moved(ib="ia"), turn_short="currents_do_not_sum_to_zero"),
    mistake(
        "all currents are ia", moved(ib="ia", ic="ia"), turn_short="currents_do_not_sum_to_zero"
    ),
    mistake("ia of another machine", on("ia", by=_other_load), turn_short=CLAMP),
    mistake("ia not connected", on("ia", by=_with_noise(0.01)), turn_short=f"{CLAMP} phase_open"),
    mistake(
        "no clamp connected",
        on(*CURRENTS, by=_with_noise(0.01)),
        currents=f"supply_not_found motor_stands_still {BELOW}",
    ),
    mistake(
        "ia dies in the record",
        on("ia", by=last_part(0.0, 0.3)),
        currents="samples_repeat samples_rest",
    ),
)
SCALES: tuple[Mistake, ...] = (
    *(
        mistake(f"currents times {k:g}", on(*CURRENTS, by=scaled(k)), currents=code)
        for k, code in ((1e3, ABOVE), (10, ABOVE), (5, ABOVE), (0.1, BELOW), (1e-3, BELOW))
    ),
    mistake("currents times 1.7", on(*CURRENTS, by=scaled(1.7))),
    mistake("currents as peak values", on(*CURRENTS, by=scaled(np.sqrt(2)))),
    mistake("ia times 1000", on("ia", by=scaled(1e3)), currents="channel_scale_differs"),
    mistake("ib times 10", on("ib", by=scaled(10)), currents="channel_scale_differs"),
    mistake("ic by 1000", on("ic", by=scaled(1e-3)), turn_short=f"{CLAMP} phase_open"),
    mistake("ia times 2", on("ia", by=scaled(2)), turn_short=CLAMP),
    mistake("ia by 2", on("ia", by=scaled(0.5)), turn_short=CLAMP),
    mistake("ib times 1.2", on("ib", by=scaled(1.2)), turn_short=CLAMP),
    mistake("ic times 0.9", on("ic", by=scaled(0.9)), turn_short=CLAMP),
    mistake("ia with an offset of 20 %", on("ia", by=_offset(0.2)), turn_short=SOUND),
    mistake("currents with an offset of 50 %", on(*CURRENTS, by=_offset(0.5)), turn_short=SOUND),
    mistake(
        "currents rectified",
        on(*CURRENTS, by=_rectified),
        currents="supply_off_nameplate supply_not_found",
    ),
    mistake(
        "ia rectified, half wave",
        on("ia", by=_half_wave),
        currents="samples_repeat clipped samples_rest",
    ),
    *(
        mistake(
            f"voltages times {k:g}",
            on(*VOLTAGES, by=scaled(k)),
            turn_short="voltage_off_nameplate",
            insulation="voltage_off_nameplate leakage_implausible",
        )
        for k in (1e3, 10, 0.1, 1e-3)
    ),
    mistake(
        "voltages between lines",
        on(*VOLTAGES, by=scaled(np.sqrt(3))),
        turn_short="voltages_between_lines",
    ),
    mistake(
        "va times 1000",
        on("va", by=scaled(1e3)),
        turn_short="channel_scale_differs",
        insulation="channel_scale_differs",
    ),
    mistake(
        "vb times 10",
        on("vb", by=scaled(10)),
        turn_short="channel_scale_differs",
        insulation="channel_scale_differs",
    ),
    mistake(
        "vc by 1000",
        on("vc", by=scaled(1e-3)),
        turn_short="voltage_unbalance_too_large",
        insulation="voltages_of_no_supply",
    ),
    mistake("va times 1.3", on("va", by=scaled(1.3)), turn_short="voltage_unbalance_too_large"),
)
VOLTAGE_WIRING: tuple[Mistake, ...] = (
    mistake("va and vb swapped", moved(va="vb", vb="va"), turn_short=NOT_PAIRED),
    mistake(
        "voltages turned by one phase", moved(va="vb", vb="vc", vc="va"), turn_short=NOT_PAIRED
    ),
    mistake("va reversed", on("va", by=scaled(-1)), insulation="voltages_of_no_supply"),
    mistake(
        "va and vb reversed", on("va", "vb", by=scaled(-1)), insulation="voltages_of_no_supply"
    ),
    mistake(
        "all voltages reversed",
        on(*VOLTAGES, by=scaled(-1)),
        turn_short=NOT_PAIRED,
        insulation="leakage_reversed",
    ),
    mistake(
        "vb carries va",
        moved(vb="va"),
        turn_short="voltage_unbalance_too_large channel_scale_differs voltages_of_no_supply",
        insulation="voltages_of_no_supply",
    ),
    mistake("all voltages are va", moved(vb="va", vc="va"), insulation="voltages_of_no_supply"),
    mistake(
        "va not connected",
        on("va", by=_with_noise(0.05)),
        turn_short="voltage_unbalance_too_large",
        insulation="voltages_of_no_supply",
    ),
    mistake(
        "voltages not connected",
        on(*VOLTAGES, by=_with_noise(0.05)),
        turn_short="voltage_off_nameplate",
        insulation="voltage_off_nameplate",
    ),
    mistake(
        "currents sent as voltages",
        moved(va="ia", vb="ib", vc="ic"),
        turn_short="voltage_off_nameplate",
        insulation="voltage_off_nameplate",
    ),
    mistake(
        "currents and voltages exchanged",
        moved(va="ia", vb="ib", vc="ic", ia="va", ib="vb", ic="vc"),
        currents=ABOVE,
    ),
)
OTHER_WIRING: tuple[Mistake, ...] = (
    mistake("leakage carries ia", moved(leakage="ia"), insulation=LEAK),
    mistake("leakage carries va", moved(leakage="va"), insulation=LEAK),
    mistake("leakage times 1000", on("leakage", by=scaled(1e3)), insulation=LEAK),
    mistake(
        "leakage by 1000",
        on("leakage", by=scaled(1e-3)),
        insulation="leakage_implausible leakage_too_noisy",
    ),
    mistake(
        "leakage by 100000",
        on("leakage", by=scaled(1e-5)),
        insulation="leakage_implausible leakage_too_noisy",
    ),
    mistake("leakage reversed", on("leakage", by=scaled(-1)), insulation="leakage_reversed"),
    mistake(
        "leakage not connected",
        on("leakage", by=_with_noise(1e-6)),
        insulation="leakage_implausible leakage_too_noisy",
    ),
    mistake(
        "leakage in strong noise",
        on("leakage", by=_with_noise(0.1)),
        insulation=f"{LEAK} leakage_too_noisy leakage_reversed",
    ),
    mistake("vibration carries ia", moved(vibration="ia")),
    mistake("vibration carries va", moved(vibration="va")),
    mistake("vibration times 1000", on("vibration", by=scaled(1e3))),
    mistake("vibration by 1000", on("vibration", by=scaled(1e-3))),
    mistake(
        "vibration not connected",
        on("vibration", by=_with_noise(1e-4)),
        bearing="no_defect_comb weak_defect_lines",
    ),
    mistake("ia carries vibration", moved(ia="vibration"), turn_short=f"{CLAMP} phase_open"),
    mistake("no currents", without(*CURRENTS), currents="no_current"),
    mistake("ia only", without("ib", "ic"), turn_short="missing_channel"),
    mistake("ia and ib only", without("ic"), turn_short="missing_channel"),
    mistake(
        "no voltages",
        without(*VOLTAGES),
        turn_short="baseline_needs_voltages",
        insulation="missing_channel",
    ),
    mistake(
        "va missing",
        without("va"),
        turn_short="baseline_needs_voltages",
        insulation="missing_channel",
    ),
    mistake("no leakage", without("leakage"), insulation="missing_channel"),
    mistake("no vibration", without("vibration"), bearing="no_vibration_channel"),
)
WIRING = (*CURRENT_WIRING, *SCALES, *VOLTAGE_WIRING, *OTHER_WIRING)
