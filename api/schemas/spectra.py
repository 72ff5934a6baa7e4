"""Shapes of spectra, waveforms and the records that they are of."""

from typing import Literal

from api.schemas.common import Number, ResponseModel, Time
from api.schemas.view import View

SpectrumKind = Literal["current", "demodulated", "envelope", "vibration"]


class RecordInfo(ResponseModel):
    """The record whose samples are shown."""

    record: str
    machine_id: str
    family: str
    """the fault family that it was diagnosed for"""
    source: Literal["evidence", "stream"]
    """stored behind a warning or fault, or still in the raw stream"""
    t_start: Number
    start: Time | None
    behind_s: Number
    """how much earlier it ended than the latest diagnosis of its family, whose figures it does not
    have then; null where there is none"""
    duration_s: float
    fs_hz: float
    channels: list[str]


class SpectrumLine(View):
    """A line at the slip or speed measured, whether or not it is there."""

    name: str
    formula: str
    """in f (supply), s (slip), fr (speed of rotation), FTF (bearing cage)"""
    hz: float
    """where it is expected"""
    low_hz: float
    """the tolerance of slip or speed: lower end of its band"""
    high_hz: float
    """the same: upper end of its band"""
    found_hz: Number
    """the place in the band that was measured"""
    level_db: Number
    """level there, in this spectrum"""
    floor_db: Number
    """the noise there, as the diagnosis measures it"""
    baseline_db: Number
    """level when healthy, at this load"""
    fault: str | None
    """the diagnosis that examines it; null where none does"""
    decided_in: SpectrumKind | None
    """kind of spectrum in which that diagnosis reads its level"""
    found: bool | None
    """whether it exceeds what noise makes, by the limit of the diagnosis"""


class Spectrum(View):
    """Levels over frequency: three lists of one length, and the lines expected among them."""

    kind: SpectrumKind
    record: RecordInfo
    channels: list[str]
    reference: Literal["supply line", "mean envelope", "1 m/s^2 rms"]
    """0 dB: levels of currents are in dBc"""
    low_hz: float
    high_hz: float
    end_hz: float
    """where the whole spectrum ends"""
    resolution_hz: float
    bins: int
    """in the range; more than points: highest and lowest of equal parts are given"""
    hz: list[float]
    levels_db: list[Number]
    """null where there is no value"""
    floor_db: list[Number]
    """the local noise floor"""
    lines: list[SpectrumLine]
    supply_hz: Number
    slip: Number
    slip_source: str | None
    shaft_hz: Number
    """turns per second: what orders are multiples of"""
    shaft_source: list[str]
    load_a: Number
    """positive-sequence current, A rms; null without usable currents"""
    band_low_hz: Number
    """of envelopes: the band of vibration"""
    band_high_hz: Number


class Phasor(View):
    """One channel as it is wired."""

    channel: str
    unit: str
    rms: float
    angle_deg: float
    """against the first voltage, else the first current"""


class Phasors(View):
    """The phasors of a record, and the sequences made of them."""

    record: RecordInfo
    supply_hz: float
    phasors: list[Phasor]
    negative_sequence_ratio: Number
    """|I2|/|I1|; null without three currents"""
    zero_sequence_ratio: Number
    """|I0|/|I1|"""
    voltage_unbalance_ratio: Number
    """|V2|/|V1|; null without three voltages"""
    lag_deg: Number
    """angle of I1 behind V1"""


class WaveformPart(ResponseModel):
    """Samples of one channel, thinned so that no peak is lost."""

    record: RecordInfo
    channel: str
    unit: str
    start_s: float
    end_s: float
    samples: int
    """in the range; more than points: highest and lowest of equal parts are given"""
    t_s: list[float]
    """from the start of the record"""
    values: list[Number]
