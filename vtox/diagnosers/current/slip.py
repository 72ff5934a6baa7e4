"""What the rotor-related diagnosers share: modulation spectra and the slip with its source.

Slip comes from the best source a recording offers: speed sensor, slot harmonics (number of bars
known), rotor speed sidebands, or nameplate and load. The better ones are searched within what the
coarser ones allow.
"""

from dataclasses import dataclass
from math import inf, sqrt
from typing import Literal

import numpy as np

from vtox.arrays import Float64
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.current.pole_pairs import LARGEST_SLIP, pole_pairs, rated_hz, rated_slip
from vtox.domain import Diagnosis, Motor, unknown
from vtox.dsp import demodulation, modulation_spectrum, slot_harmonics

Source = Literal[
    "speed sensor", "slot harmonics", "rotor speed sidebands", "nameplate and load", "none"
]
# A speed reading is good to 0.1 % of speed and to the last digit of rpm.
SENSOR_HALF = 1e-3
SENSOR_RPM = 0.5
# The rated speed to the last digit is a reading only where the current is the rated one within
# this, which moves 2sf by 6 %.
RATED_SHARE = 0.05
# Rated slip may differ from the nameplate by 20 % (30 % below 1 kW, IEC 60034-1 table 20) and by
# the temperature of the cage, 20 % between cold and hot.
NAMEPLATE_SHARE = 0.35
# Magnetising current over rated current of usual cage motors, large to small; of those below 1 kW
# at 6 % over rated voltage.
MAGNETISING = (0.25, 0.75)
MAGNETISING_SMALL = 0.9
SMALL_W = 1000.0
# A motor that draws so much of its rated current is starting or overloaded beyond any duty.
OVERLOAD = 2.0
# Measured on noise alone, 6 lines of 500 bins: 99.9 % of scores below 8.6 (tests/unit/dsp).
SLOT_SCORE = 9.0
SLOT_LEAD = 1.5
SLOT_STRONGEST = 30.0
# What is searched where any duty is: from this slip to so much of rated slip.
LEAST_SLIP, WIDEST = 0.001, 1.5
# Rotor speed sidebands serve as speed where they stand this far out of the floor.
SIDEBAND_STATISTIC = 30.0


@dataclass(frozen=True, slots=True)
class Slip:
    """Slip of one recording: the value is within `half` of `value`; `source` says whence."""

    value: float
    half: float
    source: Source
    # Why there is no better source, or none at all, in words.
    reason: str = ""

    @property
    def low(self) -> float:
        """Smallest slip believed possible."""
        return max(self.value - self.half, 0.0)

    @property
    def high(self) -> float:
        """Largest slip believed possible."""
        return self.value + self.half

    @property
    def sharp(self) -> bool:
        """Whether the slip was measured rather than guessed from nameplate and load."""
        return self.source in ("speed sensor", "slot harmonics", "rotor speed sidebands")


@dataclass(frozen=True, slots=True)
class SlipAnalysis:
    """Modulation spectra of currents and, where measured, voltages; slip per recording."""

    pole_pairs: tuple[int | None, ...]
    slips: tuple[Slip, ...]
    widest: Float64  # (batch,) the largest slip a motor at its duty may have
    modulation: modulation_spectrum.Modulation
    voltage: modulation_spectrum.Modulation | None


def analyse_slip(analysis: CurrentAnalysis) -> SlipAnalysis | None:
    """Return modulation spectra and slips, or None where the front end could compute nothing."""
    if analysis.envelope.shape[-1] < 16:
        return None
    am, pm = demodulation.modulation(analysis.envelope, analysis.rate_hz)
    modulation = modulation_spectrum.spectra(am, pm, analysis.rate_hz)
    voltage = None
    if analysis.envelope_v.shape[-1]:
        voltage = modulation_spectrum.spectra(
            *demodulation.modulation(analysis.envelope_v, analysis.rate_hz), analysis.rate_hz
        )
    pairs = tuple(map(pole_pairs, analysis.motors, analysis.recordings, analysis.f0_hz))
    rms_a = analysis.current_rms_a()
    priors = [_prior(analysis, i, pairs[i], float(rms_a[i])) for i in range(len(pairs))]
    widest = _widest(analysis, pairs, priors)
    slips = _sharpened(analysis, modulation, pairs, priors, widest)
    return SlipAnalysis(
        pole_pairs=pairs, slips=slips, widest=widest, modulation=modulation, voltage=voltage
    )


def unseen(analysis: CurrentAnalysis, fault: str) -> list[Diagnosis]:
    """Return the abstentions of a batch of which `analyse_slip` shows nothing."""
    return [
        unknown(fault, "; ".join(r.sentence for r in p) or "too short") for p in analysis.problems
    ]


def _prior(analysis: CurrentAnalysis, i: int, pairs: int | None, rms_a: float) -> Slip:
    """Return what sensor or nameplate say of the slip."""
    f0_hz = float(analysis.f0_hz[i])
    if analysis.problems[i]:
        return Slip(np.nan, np.nan, "none", analysis.problems[i][0].sentence)
    if not pairs:
        return Slip(np.nan, np.nan, "none", "no nameplate: number of poles unknown")
    why, motor = "", analysis.motors[i]
    speed_rpm = analysis.recordings[i].speed_rpm
    if speed_rpm:
        synchronous_rpm = 60 * f0_hz / pairs
        slip = 1 - speed_rpm / synchronous_rpm
        half = max(SENSOR_HALF, SENSOR_RPM / synchronous_rpm)
        if not -half < slip < LARGEST_SLIP:
            why = f"a speed of {speed_rpm:g} rpm does not fit {f0_hz:.2f} Hz and {pairs} pole pairs"
        elif _copied(speed_rpm, rms_a, motor):
            why = f"a speed of {speed_rpm:g} rpm is the nameplate's, not one measured at this load"
        else:
            return Slip(max(slip, 0.0), half, "speed sensor")
    rated = rated_slip(motor, pairs, f0_hz)
    if rated is None:
        return Slip(np.nan, np.nan, "none", why or _unrated(motor, pairs, f0_hz))
    rated_a = motor.rated_current_a
    if rated_a and rms_a > OVERLOAD * rated_a:
        over = f"current {rms_a / rated_a:.1f} times rated: starting, or not this nameplate"
        return Slip(np.nan, np.nan, "none", over)
    if motor.supply == "inverter":
        # At constant flux a torque slows the rotor by as many rpm at any frequency.
        rated *= (motor.supply_hz or f0_hz) / f0_hz
    low, high = _load_range(rms_a, motor)
    low, high = low * rated * (1 - NAMEPLATE_SHARE), high * rated * (1 + NAMEPLATE_SHARE)
    return Slip((low + high) / 2, (high - low) / 2, "nameplate and load", why)


def _copied(speed_rpm: float, rms_a: float, motor: Motor) -> bool:
    """Return whether a speed is that of the nameplate, entered where none was measured."""
    rated_a = motor.rated_current_a
    loaded = rated_a is not None and abs(rms_a / rated_a - 1) <= RATED_SHARE
    return speed_rpm == motor.rated_speed_rpm and not loaded


def _unrated(motor: Motor, pairs: int, f0_hz: float) -> str:
    """Return why the rated slip is not known."""
    if not motor.rated_speed_rpm:
        return "no speed and no rated speed"
    supply_hz = rated_hz(motor, f0_hz)
    if not supply_hz:
        return "no speed, and a rated speed without the supply frequency it holds for"
    return (
        f"no speed, and a rated speed of {motor.rated_speed_rpm:g} rpm is not that of a loaded "
        f"motor with {pairs} pole pairs at {supply_hz:g} Hz"
    )


def _load_range(rms_a: float, motor: Motor) -> tuple[float, float]:
    """Return least and largest torque over rated torque that a current allows.

    i^2 = m^2 + (1 - m^2) load^2, with m the magnetising over the rated current. That is part of the
    reactive one, which leaves at least power factor times efficiency for the rest.
    """
    if not motor.rated_current_a:
        return 0.1, 1.2
    i, active = rms_a / motor.rated_current_a, motor.active_share
    least, most = MAGNETISING
    if _rated_w(motor) < SMALL_W:
        most = MAGNETISING_SMALL
    if active is not None:
        most = min(most, max(least, sqrt(1 - active**2)))
    squares = [(i * i - m * m) / (1 - m * m) for m in (least, most)]
    loads = sorted(float(np.sqrt(max(q, 0.0))) for q in squares)
    return loads[0], loads[1]


def _rated_w(motor: Motor) -> float:
    """Return the rated power, W; from volts and amperes at a usual 0.6 where it is not told."""
    if motor.rated_power_w:
        return motor.rated_power_w
    volts, amps = motor.rated_voltage_v, motor.rated_current_a
    return 0.6 * sqrt(3) * volts * amps if volts and amps else inf


def _widest(
    analysis: CurrentAnalysis, pairs: tuple[int | None, ...], priors: list[Slip]
) -> Float64:
    """Return the largest slip a motor at its duty may have: half more than rated, or as guessed."""
    rated = [
        rated_slip(m, p, float(f)) or 0.0
        for m, p, f in zip(analysis.motors, pairs, analysis.f0_hz, strict=True)
    ]
    wide = [max(WIDEST * r, s.high) for r, s in zip(rated, priors, strict=True)]
    return np.asarray(np.minimum(wide, LARGEST_SLIP), np.float64)


def _confirmed(
    analysis: CurrentAnalysis, priors: list[Slip], found: list[Slip], widest: Float64
) -> list[Slip]:
    """Return the slips, those of a speed without slot harmonics that are stronger at another slip.

    Those of a broken cage have sidebands 2sf away, which fit a speed that is wrong by a little.
    """
    read = np.array(
        [
            p.source == "speed sensor" and s.source != p.source
            for p, s in zip(priors, found, strict=True)
        ]
    )
    if analysis.slot_band is None or not read.any():
        return found
    bars, least = np.where(read, analysis.bars_per_pair, np.nan), np.where(read, LEAST_SLIP, np.nan)
    s = slot_harmonics.slot_harmonics(
        analysis.slot_band, analysis.windowed_f0_hz, bars, least, widest
    )
    return [
        prior if read[i] and abs(s.slip[i] - slip.value) > s.half[i] + slip.half else slip
        for i, (prior, slip) in enumerate(zip(priors, found, strict=True))
    ]


def _sharpened(
    analysis: CurrentAnalysis,
    modulation: modulation_spectrum.Modulation,
    pairs: tuple[int | None, ...],
    priors: list[Slip],
    widest: Float64,
) -> tuple[Slip, ...]:
    """Return the slips, each replaced by a sharper estimate where one is found inside it."""
    low = np.array([min(s.low, LARGEST_SLIP) for s in priors])
    high = np.array([min(s.high, LARGEST_SLIP) for s in priors])
    found = list(priors)
    # What is guessed from the nameplate is searched first, then all a motor may do.
    guessed = np.array([s.source == "nameplate and load" for s in priors])
    for bounds in ((low, high), (np.where(guessed, LEAST_SLIP, np.nan), widest)):
        open_ = np.array([s.source != "slot harmonics" for s in found])
        bars = np.where(open_, analysis.bars_per_pair, np.nan)
        if analysis.slot_band is None or not (np.isfinite(bars) & np.isfinite(bounds[0])).any():
            break
        s = slot_harmonics.slot_harmonics(
            analysis.slot_band, analysis.windowed_f0_hz, bars, *bounds
        )
        clear = (s.score > SLOT_SCORE) & (s.lead > SLOT_LEAD) & (s.strongest > SLOT_STRONGEST)
        for i in np.flatnonzero(open_ & clear):
            found[i] = Slip(float(s.slip[i]), float(s.half[i]), "slot harmonics", found[i].reason)
    found = _confirmed(analysis, priors, found, widest)
    # Of two poles f - fr lies at s*f, beside the offset of the clamps, its drift, and noise that
    # only the winding's resistance limits: no line there is known to be the rotor's.
    open_ = np.array(
        [s.source == "nameplate and load" and p != 1 for s, p in zip(found, pairs, strict=True)]
    )
    if not open_.any():
        return tuple(found)
    rotation = np.where(open_, analysis.f0_hz / np.array([p or 1 for p in pairs]), np.nan)
    line = modulation_spectrum.strongest(modulation, rotation * (1 - high), rotation * (1 - low))
    hz = modulation_spectrum.refined_hz(modulation, line)
    clear = open_ & (line.statistic > SIDEBAND_STATISTIC) & np.isnan(line.beside_hz)
    for i in np.flatnonzero(clear):
        half = 0.25 * modulation.bin_hz / rotation[i]
        slip = 1 - float(hz[i] / rotation[i])
        if half < found[i].half:
            found[i] = Slip(slip, float(half), "rotor speed sidebands", found[i].reason)
    return tuple(found)
