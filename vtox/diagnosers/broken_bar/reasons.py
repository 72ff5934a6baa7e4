"""What is said of the lines of a cage: reasons, indicators and evidence of `broken_bar`."""

from typing import Any

import numpy as np

from vtox.diagnosers.broken_bar.sidebands import NEEDED_BINS, CageLines
from vtox.diagnosers.current.slip import Slip
from vtox.domain import Value
from vtox.dsp import demodulation

# A level is told where its deviation in the noise is no more than this. Against the sideband that
# the cage alone makes that deviation is right within 10 % (177 records, slips of 1 to 3 %).
KNOWN_DB = 1.0
LONGEST_S = 300.0


def lines_at(x: CageLines, i: int) -> str:
    """Return where the lines are and how strong, and what the noise leaves open of that."""
    return (
        f"lines at {x.hz[i]:.2f} Hz from the supply, {x.lower_dbc[i]:.1f} dBc below and "
        f"{x.upper_dbc[i]:.1f} dBc above"
        + ("" if _level_known(x, i) else f" (in noise, +-{x.deviation_db[i]:.1f} dB)")
    )


def too_short(slip: Slip, f0_hz: float, duration_s: float) -> str:
    """Return how long a record must be at this slip, if any length would do."""
    least = slip.value if slip.sharp else slip.low
    is_ = "is" if slip.sharp else "may be as low as"
    if least * 2 * f0_hz * LONGEST_S < NEEDED_BINS:
        return (
            f"slip too small: it {is_} {least:.2%} ({slip.source}); a broken bar shows only under "
            f"load, or with a measured speed"
        )
    needed_s = NEEDED_BINS / (2 * least * f0_hz) + 2 * demodulation.EDGE_S
    return (
        f"record too short: {duration_s:.3g} s; the slip {is_} {least:.2%} "
        f"({slip.source}) and needs {np.ceil(needed_s):.0f} s or more"
    )


def as_a_load(x: CageLines, i: int, slip: Slip) -> str:
    """Return that a load may have made the lines, and what would decide where that is missing."""
    reason = (
        f"{lines_at(x, i)}: load oscillation at {x.hz[i]:.2f} Hz or broken bars, amplitude and "
        f"phase move together as a load moves them"
    )
    if slip.sharp:
        return reason
    return (
        f"{reason}; the slip is known from the nameplate only (a speed or the number of rotor bars "
        f"would tell whether they stand at 2sf)"
    )


def beside(x: CageLines, i: int, slip: Slip, f0_hz: float) -> str:
    """Return that the line stands beside what the slip allows."""
    return (
        f"a line at {x.beside_hz[i]:.2f} Hz from the supply, not at twice slip frequency "
        f"({2 * slip.value * f0_hz:.2f} Hz by {slip.source}): the load oscillates"
    )


def elsewhere(x: CageLines, i: int, slip: Slip, f0_hz: float) -> str:
    """Return that a line may be that of the cage, at a slip that nameplate or speed do not give."""
    line = f"a line of {x.elsewhere_dbc[i]:.1f} dBc at {x.elsewhere_hz[i]:.2f} Hz from the supply"
    if slip.sharp:
        return (
            f"{line} that no load makes, not at the {2 * slip.value * f0_hz:.2f} Hz of a slip of "
            f"{slip.value:.2%} ({slip.source}): broken bars if the speed is wrong, or an "
            f"interharmonic of the supply"
        )
    return (
        f"{line}, beside the {2 * slip.low * f0_hz:.2f} to {2 * slip.high * f0_hz:.2f} Hz guessed "
        f"from the nameplate: load oscillation, or broken bars at another slip (a speed or the "
        f"number of rotor bars would tell)"
    )


def slip_indicators(slip: Slip) -> dict[str, Value]:
    """Return the slip with its source, nothing where it is unknown."""
    if not np.isfinite(slip.value):
        return {}
    return {
        "slip": round(slip.value, 6),
        "slip_half_width": round(slip.half, 6),
        "slip_source": slip.source,
    }


def indicators(x: CageLines, i: int, slip: Slip, rms_a: float) -> dict[str, Value]:
    """Return what was measured; levels that the noise leaves open are None."""
    known = _level_known(x, i)
    return {
        **slip_indicators(slip),
        "lower_sideband_dbc": round(float(x.lower_dbc[i]), 2) if known else None,
        "upper_sideband_dbc": round(float(x.upper_dbc[i]), 2) if known else None,
        "level_deviation_db": round(float(x.deviation_db[i]), 2),
        "floor_dbc": round(float(x.floor_dbc[i]), 2),
        "detectable_dbc": round(float(x.sure_dbc[i]), 2),
        "load_a": round(rms_a, 4),
    }


def evidence(x: CageLines, i: int, slip: Slip, f0_hz: float) -> tuple[dict[str, Any], ...]:
    """Return the frequencies searched, and the line where there is one."""
    searched = {
        "kind": "searched",
        "low_hz": round(2 * slip.low * f0_hz, 3),
        "high_hz": round(2 * slip.high * f0_hz, 3),
        "from_supply_hz": round(f0_hz, 3),
        "bins": round(float(x.bins[i]), 1),
        "over_floor": round(float(x.statistic[i]), 2),
        "over_floor_limit": float(x.threshold[i]),
    }
    line = {
        "kind": "line",
        "lower_hz": round(f0_hz - float(x.hz[i]), 3),
        "upper_hz": round(f0_hz + float(x.hz[i]), 3),
        "lower_dbc": round(float(x.lower_dbc[i]), 2),
        "upper_dbc": round(float(x.upper_dbc[i]), 2),
    }
    return (searched, line) if x.statistic[i] > x.threshold[i] else (searched,)


def _level_known(x: CageLines, i: int) -> bool:
    return bool(x.deviation_db[i] <= KNOWN_DB)
