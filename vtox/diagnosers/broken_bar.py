"""Broken rotor bars and end rings, from the lines they put at 2sf from the supply line.

Amplitude and phase modulation of the current are searched at 2sf within what is known of the slip;
a line must stand out of the floor around it and is then judged by its level below the supply line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from vtox.baseline import Baseline
from vtox.diagnosers.frontend import Front
from vtox.diagnosers.rotor import Rotor, Slip, rotor_view
from vtox.domain import Diagnosis, Value, unknown
from vtox.dsp import baseband, lines

Floats = npt.NDArray[np.float64]

FAULT = "broken_bar"
FEATURE = "broken_bar.lower_dbc"
# 2sf must lie this many bins of 1/T from the supply line, else its skirt and wander reach there:
# thresholds measured on noise rise from 22 at 8 bins to 219 at 6 (docs/EVALUATION.md).
NEEDED_BINS = 8.0
GOOD_BINS = 10.0
# Power over floor of amplitude and phase together, about Gamma(2) on noise: 99.9 % of records of
# noise alone lie below 14 to 23, the more the wider the search.
THRESHOLD = 18.0
THRESHOLD_WIDE = 22.0
THRESHOLD_SHORT = 30.0
# A line whose mean is this much above the threshold crosses it in 95 % of records.
MARGIN = 12.0
# Level of the lower sideband below the supply line. Good above 54 dB, a developing cage fault from
# there, broken bars near 45 (Penrose 2006; Culbert & Letal 2015; limits are empirical).
DEVELOPING_DBC = -54.0
# Deviation in dB of an amplitude in noise of relative rms 1, of which half is in phase with it.
DEVIATION_DB = 20 / np.log(10) / np.sqrt(2)
# A line of -54 dBc reads lower in noise and one of a sound cage, -60 dBc and below, higher: the
# limit lies between, raised with the rms of the noise. 1.8 rms are exceeded by 4 % (Rayleigh) of
# those sound cages that come so near.
WARNING_DBC = -58.0
WARNING_NOISE = 1.8
# Where only one of amplitude and phase is noisy, the other alone can exceed what two sidebands of
# a sound cage make together; 2.6 rms: 1e-3.
SOUND_DBC = -59.0
ALONE_NOISE = 2.6
FAULT_DBC = -45.0
SEVERITIES = ((-60.0, -54.0, -48.0, -42.0, -36.0, -30.0), (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
LOW_LOAD = 0.35
# The sidebands spread when the slip moves; a change of current of x moves it by about 1.5 x.
SPREAD_BINS = 4.0
SLIP_PER_CURRENT = 1.5
UNSTEADY_HZ = 0.4
# A load that swings moves amplitude and phase together (0 to 0.3 rad apart); rotor bars move them
# a quarter to half a turn apart. Measured on the equations of four machines of 2 to 370 kW, slips
# of 1 to 4.5 % and inertias of 1 to 20 rotors: 0.02-0.32 rad against 1.4-3.1 rad, a 370 kW machine
# of four inertias near its resonance excepted (0.6). Where the slip is measured, a load that swings
# at just 2sf is unlikely, and only a clear case is taken for one.
TOGETHER_RAD = 1.2
TOGETHER_SHARP_RAD = 0.2
APART_RAD = -2.5
RESOLVED = 12.0
# A voltage line of this share of the current's is taken for the cause; a cage that modulates the
# current moves the voltage by the supply's impedance, a few per cent.
VOLTAGE_SHARE = 0.25
KNOWN_CHANGE_DB = 4.0


@dataclass(frozen=True, slots=True)
class _Found:
    """The strongest line of each recording, arrays of shape (batch,), levels in dBc."""

    line: lines.Line
    bins: Floats  # 2sf times record length, at the lowest slip searched
    lower_dbc: Floats
    upper_dbc: Floats
    deviation_db: Floats  # of the level, from the floor
    alone: npt.NDArray[np.bool_]  # amplitude or phase alone is beyond a sound cage
    sure_dbc: Floats  # level from which a line is found in 95 % of such records
    together_rad: Floats  # angle between phase and amplitude modulation
    resolved: Floats  # the smaller of their powers over floor
    voltage_share: Floats  # line in the voltage over line in the current
    drift: Floats  # relative range of the current's amplitude
    frequency_range_hz: Floats


def diagnose(
    front: Front, baselines: Sequence[Baseline | None], *, rotor: Rotor | None = None
) -> list[Diagnosis]:
    """Return one diagnosis of the rotor cage per recording."""
    rotor = rotor or rotor_view(front)
    if rotor is None:
        return [unknown(FAULT, "; ".join(p) or "too short") for p in front.problems]
    found = _find(front, rotor)
    rms_a = front.current_rms_a()
    return [
        unknown(FAULT, reason, **_slip_indicators(rotor.slips[i]))
        if (reason := _refusal(front, rotor, found, i, float(rms_a[i])))
        else _verdict(front, rotor, found, i, float(rms_a[i]), baselines[i])
        for i in range(len(front.recordings))
    ]


def features(front: Front, *, rotor: Rotor | None = None) -> dict[str, Floats]:
    """Return the level of the lower sideband in dBc per recording, NaN where it is not shown."""
    rotor = rotor or rotor_view(front)
    if rotor is None:
        return {FEATURE: np.full(len(front.recordings), np.nan)}
    found = _find(front, rotor)
    rms_a = front.current_rms_a()
    shown = [
        not _refusal(front, rotor, found, i, float(rms_a[i])) for i in range(len(front.recordings))
    ]
    return {FEATURE: np.where(shown, _level(found.lower_dbc, found.upper_dbc), np.nan)}


def _find(front: Front, rotor: Rotor) -> _Found:
    """Return the strongest line at 2sf within the slip interval of each recording."""
    m = rotor.modulation
    low = np.array([s.low for s in rotor.slips]) * 2 * front.f0_hz
    high = np.array([s.high for s in rotor.slips]) * 2 * front.f0_hz
    bins = low / m.bin_hz
    # At least half a bin to either side, and never nearer than what would be refused.
    searched = np.maximum(low - m.bin_hz / 2, NEEDED_BINS * m.bin_hz * 0.95)
    m, line = _strongest(front, rotor, searched, high + m.bin_hz / 2)
    a, p = (np.take_along_axis(z, line.index[:, None], axis=-1)[:, 0] for z in (m.am, m.pm))
    lower, upper = m.sidebands(line.index)
    a_ratio, p_ratio = np.abs(a) ** 2 / line.am_floor, np.abs(p) ** 2 / line.pm_floor
    # Where wander hides one modulation, the other alone tells the level, as if there were no upper
    # sideband (am = conj(lower)/2, pm = j*am), each weighed by its floor.
    weight = line.pm_floor / (line.am_floor + line.pm_floor)
    weighed = 2 * np.abs(weight * a - 1j * (1 - weight) * p)
    am_near, pm_near = lines.floors_nearby(m, line)
    noise = np.sqrt(am_near + pm_near)
    clear = np.maximum(lower, upper) > 4.5 * noise
    level = _level(_db(np.where(clear, lower, weighed)), _db(upper))
    sound = 10 ** (SOUND_DBC / 20)
    deviation = DEVIATION_DB * noise / 10 ** (level / 20)
    wanted = np.where(np.array([s.sharp for s in rotor.slips]), THRESHOLD, THRESHOLD_WIDE)
    sure = 4 * (wanted + MARGIN) / (1 / am_near + 1 / pm_near)
    share = np.zeros(len(low))
    if rotor.voltage is not None:
        v_line = lines.strongest(rotor.voltage, line.hz, line.hz)
        v = np.maximum(*rotor.voltage.sidebands(v_line.index))
        share = np.where(v_line.statistic > THRESHOLD, v / np.maximum(lower, upper), 0.0)
    drift, frequency_range_hz = baseband.unsteadiness(front.envelope, front.rate_hz)
    return _Found(
        line=line,
        bins=bins,
        lower_dbc=_db(np.where(clear, lower, weighed)),
        upper_dbc=_db(upper),
        deviation_db=deviation,
        alone=(np.abs(a) > sound + ALONE_NOISE * np.sqrt(am_near))
        | (np.abs(p) > sound + ALONE_NOISE * np.sqrt(pm_near)),
        sure_dbc=_db(np.sqrt(sure)),
        together_rad=np.asarray(np.angle(p * np.conj(a)), np.float64),
        resolved=np.minimum(a_ratio, p_ratio),
        voltage_share=share,
        drift=drift,
        frequency_range_hz=frequency_range_hz,
    )


def _strongest(
    front: Front, rotor: Rotor, low: Floats, high: Floats
) -> tuple[lines.Modulation, lines.Line]:
    """Return the line, with the wander of the supply taken off by the voltage where that helps."""
    m = rotor.modulation
    line = lines.strongest(m, low, high)
    v = rotor.voltage
    if v is None:
        return m, line
    # A regulated drive answers the cage with its voltage; what remains is the admittance.
    drive = np.array([[motor.supply == "inverter"] for motor in front.motors])
    freed = replace(m, am=m.am - np.where(drive, v.am, 0), pm=m.pm - v.pm)
    other = lines.strongest(freed, low, high)
    better = other.pm_floor * other.am_floor < line.pm_floor * line.am_floor
    better |= drive[:, 0]
    better &= np.array([not p for p in front.voltage_problems])
    mixed = replace(
        m,
        am=np.where(better[:, None], freed.am, m.am),
        pm=np.where(better[:, None], freed.pm, m.pm),
    )
    return mixed, lines.chosen(better, other, line)


def _refusal(front: Front, rotor: Rotor, found: _Found, i: int, rms_a: float) -> str:
    """Return why a recording cannot be judged, or an empty text."""
    motor, slip = front.motors[i], rotor.slips[i]
    if front.problems[i]:
        return "; ".join(front.problems[i])
    if motor.supply == "inverter" and not (
        front.envelope_v.shape[-1] and not front.voltage_problems[i]
    ):
        return "inverter supply without voltage channels"
    if motor.rated_current_a and rms_a < LOW_LOAD * motor.rated_current_a:
        return (
            f"load too low: {rms_a:.3g} A of {motor.rated_current_a:g} A rated, need {LOW_LOAD:.0%}"
        )
    if found.frequency_range_hz[i] > UNSTEADY_HZ:
        return f"not stationary: the supply moves by {found.frequency_range_hz[i]:.2f} Hz"
    if not np.isfinite(slip.value) or slip.source == "none":
        return f"slip unknown: {slip.reason}" if slip.reason else "slip unknown"
    # A guessed slip may be larger than its least: a fault can still be found, health not.
    reach = slip.low if slip.sharp else slip.high
    if reach * 2 * front.f0_hz[i] < NEEDED_BINS * rotor.modulation.bin_hz:
        return _too_short(front, slip, i)
    if found.drift[i] * SLIP_PER_CURRENT * found.bins[i] > max(SPREAD_BINS, 0.1 * found.bins[i]):
        return f"not stationary: the current moves by {found.drift[i]:.0%} within the record"
    return ""


def _too_short(front: Front, slip: Slip, i: int) -> str:
    smallest = slip.low
    if smallest * 2 * front.f0_hz[i] * 300 < NEEDED_BINS:
        return (
            f"slip too small: it may be as low as {smallest:.2%} ({slip.source}); a broken bar "
            f"shows only under load, or with a measured speed"
        )
    needed_s = NEEDED_BINS / (2 * smallest * front.f0_hz[i]) + 2 * baseband.EDGE_S
    may_be = "is" if slip.sharp else "may be as low as"
    return (
        f"record too short: {front.duration_s:.3g} s; the slip {may_be} {smallest:.2%} "
        f"({slip.source}) and needs {np.ceil(needed_s):.0f} s or more"
    )


def _verdict(
    front: Front, rotor: Rotor, found: _Found, i: int, rms_a: float, baseline: Baseline | None
) -> Diagnosis:
    slip, f0_hz = rotor.slips[i], float(front.f0_hz[i])
    statistic, hz = float(found.line.statistic[i]), float(found.line.hz[i])
    bins = hz / rotor.modulation.bin_hz
    threshold = THRESHOLD if slip.sharp else THRESHOLD_WIDE
    if bins < GOOD_BINS:
        threshold = THRESHOLD_SHORT
    lower, upper = float(found.lower_dbc[i]), float(found.upper_dbc[i])
    level, sure = float(_level(lower, upper)), float(found.sure_dbc[i])
    noise = 10 ** (level / 20) * float(found.deviation_db[i]) / DEVIATION_DB
    limit = float(_db(10 ** (WARNING_DBC / 20) + WARNING_NOISE * noise))
    strong = level >= limit or bool(found.alone[i])
    indicators: dict[str, Value] = {
        **_slip_indicators(slip),
        "lower_sideband_dbc": round(lower, 2),
        "upper_sideband_dbc": round(upper, 2),
        "level_deviation_db": round(float(found.deviation_db[i]), 2),
        "floor_dbc": round(sure - float(_db(np.sqrt(threshold + MARGIN))), 2),
        "detectable_dbc": round(sure, 2),
        "load_a": round(rms_a, 4),
    }
    evidence: list[dict[str, Any]] = [
        {
            "kind": "searched",
            "low_hz": round(2 * slip.low * f0_hz, 3),
            "high_hz": round(2 * slip.high * f0_hz, 3),
            "from_supply_hz": round(f0_hz, 3),
            "bins": round(float(found.bins[i]), 1),
        }
    ]
    verdict = Diagnosis(
        fault=FAULT,
        state="normal",
        severity=0.0,
        confidence=_confidence_normal(slip, sure),
        statistic=round(statistic, 2),
        threshold=threshold,
        reason=(
            f"no line at 2sf above the noise; one of {sure:.0f} dBc would have been seen "
            f"(slip {slip.value:.2%}, {slip.source})"
        ),
        indicators=indicators,
        evidence=tuple(evidence),
    )
    if found.bins[i] < NEEDED_BINS and (statistic <= threshold or not strong):
        return unknown(FAULT, _too_short(front, slip, i), **indicators)
    if statistic <= threshold:
        if sure > DEVELOPING_DBC:
            return _blind(verdict, sure)
        return verdict
    evidence.append(
        {
            "kind": "line",
            "lower_hz": round(f0_hz - hz, 3),
            "upper_hz": round(f0_hz + hz, 3),
            "lower_dbc": round(lower, 2),
            "upper_dbc": round(upper, 2),
        }
    )
    verdict = replace(verdict, evidence=tuple(evidence))
    at = f"lines at {hz:.2f} Hz from the supply, {lower:.1f} dBc below and {upper:.1f} dBc above"
    if not strong:
        if level > WARNING_DBC + 1 and limit > DEVELOPING_DBC - 2:
            return _blind(verdict, max(sure, limit))
        return replace(
            verdict,
            reason=f"{at}: weaker than {DEVELOPING_DBC:.0f} dBc, as of a sound cage",
            severity=_severity(level),
        )
    if cause := _other_cause(slip, found, i):
        named = ({"kind": "alternative", "cause": cause},)
        return replace(
            verdict,
            state="unknown",
            severity=None,
            confidence=0.0,
            reason=f"{at}: {cause}",
            evidence=verdict.evidence + named,
        )
    return _asymmetric(verdict, found, slip, i, level, baseline, rms_a, at)


def _asymmetric(
    verdict: Diagnosis,
    found: _Found,
    slip: Slip,
    i: int,
    level: float,
    baseline: Baseline | None,
    rms_a: float,
    at: str,
) -> Diagnosis:
    """Return the verdict on a line as strong as that of a cage fault."""
    known = baseline.level(FEATURE, rms_a) if baseline else None
    margin = float(found.line.statistic[i]) / float(verdict.threshold or THRESHOLD)
    verdict = replace(
        verdict,
        state="fault" if level >= FAULT_DBC else "warning",
        severity=_severity(level),
        confidence=round((0.9 if slip.sharp else 0.6) * float(np.clip(margin / 2, 0.5, 1)), 3),
        reason=f"rotor asymmetry: {at} (slip {slip.value:.2%}, {slip.source})",
        evidence=(
            *verdict.evidence,
            {"kind": "alternative", "cause": "load oscillation at twice slip frequency"},
            {"kind": "alternative", "cause": "axial ducts or inter-bar currents of a sound cage"},
        ),
    )
    if known is None:
        return verdict
    change = level - known.mean
    verdict = replace(verdict, indicators={**verdict.indicators, "change_db": round(change, 2)})
    if change > max(KNOWN_CHANGE_DB, known.spread if np.isfinite(known.spread) else 0.0):
        return verdict
    was = f"{at}: as when the baseline was learnt ({known.mean:.1f} dBc)"
    if level < FAULT_DBC:
        return replace(verdict, state="normal", reason=was)
    return replace(verdict, state="warning", reason=f"rotor asymmetry: {was}")


def _other_cause(slip: Slip, found: _Found, i: int) -> str:
    """Return what else than the cage may make the line; empty where nothing speaks for it."""
    if found.voltage_share[i] > VOLTAGE_SHARE:
        return "the voltage carries a line there too, the supply or the drive modulates the motor"
    angle, resolved = float(found.together_rad[i]), float(found.resolved[i])
    if slip.sharp:
        if abs(angle) < TOGETHER_SHARP_RAD and resolved > RESOLVED:
            return "amplitude and phase move together, as a load that oscillates moves them"
        return ""
    if APART_RAD < angle < TOGETHER_RAD:
        return (
            "amplitude and phase move together, as a load that oscillates moves them; the slip is "
            "known from the nameplate only (a speed or the number of rotor bars would decide)"
        )
    return ""


def _blind(verdict: Diagnosis, sure: float) -> Diagnosis:
    return replace(
        verdict,
        state="unknown",
        severity=None,
        confidence=0.0,
        reason=(
            f"noise floor above the level a fault would have: only a line of {sure:.0f} dBc would "
            f"have been seen, a fault begins at {DEVELOPING_DBC:.0f} dBc"
        ),
    )


def _level(lower_dbc: Any, upper_dbc: Any) -> Floats:
    """Return the level that is judged: the lower sideband, or the mean of both if it is smaller."""
    return np.asarray(np.maximum(lower_dbc, (np.asarray(lower_dbc) + upper_dbc) / 2), np.float64)


def _severity(level_dbc: float) -> float:
    return round(float(np.interp(level_dbc, *SEVERITIES)), 3)


def _confidence_normal(slip: Slip, sure_dbc: float) -> float:
    room = float(np.clip((DEVELOPING_DBC - sure_dbc) / 10, 0, 1))
    return round((0.9 if slip.sharp else 0.7) * (0.5 + 0.5 * room), 3)


def _slip_indicators(slip: Slip) -> dict[str, Value]:
    if not np.isfinite(slip.value):
        return {}
    return {
        "slip": round(slip.value, 6),
        "slip_half_width": round(slip.half, 6),
        "slip_source": slip.source,
    }


def _db(amplitude: Any) -> Floats:
    return np.asarray(20 * np.log10(np.maximum(amplitude, 1e-12)), np.float64)
