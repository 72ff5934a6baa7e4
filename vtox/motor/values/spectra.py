"""Spectra and phasors of a record as values: `vtox.motor.diagnosis.spectra` computes them."""

from dataclasses import dataclass
from typing import Literal

from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import CHANNEL_UNITS

SpectrumKind = Literal["current", "demodulated", "envelope", "vibration"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedLine:
    """A line whose place in a spectrum the slip or speed gives, whether or not it is there."""

    name: str
    formula: str
    """in f (supply), s (slip), fr (speed of rotation), FTF (bearing cage)"""
    hz: float
    """expected frequency"""
    low_hz: float
    """the tolerance of slip or speed: lower end of its band"""
    high_hz: float
    """the same: upper end of its band"""
    found_hz: float | None = None
    """the place in the band that was measured"""
    level_db: float | None = None
    """level there, in this spectrum"""
    floor_db: float | None = None
    """the noise there, as the diagnosis measures it"""
    baseline_db: float | None = None
    """level when healthy, at this load"""
    fault: str | None = None
    """the diagnosis that examines it; null if none does"""
    decided_in: SpectrumKind | None = None
    """kind of spectrum in which that diagnosis reads its level"""
    found: bool | None = None
    """whether it exceeds the level of noise, by the limit of the diagnosis"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectrum:
    """Levels over frequency, both of shape (points,); NaN if there is none.

    Levels are in dB of `reference`. `resolution_hz` is 1/T, or the width of a bin if spectra
    are averaged. `band_hz` is the band of vibration of which it is the envelope.
    """

    kind: SpectrumKind
    channels: tuple[str, ...]
    reference: Literal["supply line", "mean envelope", "1 m/s^2 rms"]
    """0 dB: levels of currents are in dBc"""
    resolution_hz: float
    bins: int = 0
    """in the range; more than points: highest and lowest of equal parts are given"""
    hz: Float64
    levels_db: Float64
    """null if there is no value"""
    floor_db: Float64
    """the local noise floor"""
    lines: tuple[ExpectedLine, ...] = ()
    supply_hz: float | None = None
    slip: float | None = None
    slip_source: str | None = None
    shaft_hz: float | None = None
    """turns per second, the unit of orders"""
    shaft_source: tuple[str, ...] = ()
    load_a: float | None = None
    """positive-sequence current, A rms; null without usable currents"""
    band_hz: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Phasor:
    """One channel as it is wired."""

    channel: str
    rms: float
    angle_deg: float
    """against the first voltage, else the first current"""

    @property
    def unit(self) -> str:
        """The unit of the channel."""
        return CHANNEL_UNITS[self.channel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phasors:
    """The means over a record; ratios are medians over frames of 0.2 s.

    They are of the channels as the diagnoses order and turn them.
    """

    supply_hz: float
    phasors: tuple[Phasor, ...]
    negative_sequence_ratio: float | None
    """|I2|/|I1|; null without three currents"""
    zero_sequence_ratio: float | None
    """|I0|/|I1|"""
    voltage_unbalance_ratio: float | None
    """|V2|/|V1|; null without three voltages"""
    lag_deg: float | None
    """angle of I1 behind V1"""
