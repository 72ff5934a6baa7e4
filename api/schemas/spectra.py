"""Shapes of spectra, waveforms and the records that they are of."""

from typing import Literal

from pydantic import Field

from api.schemas.common import Number, ResponseModel, Time
from api.schemas.view import View

SpectrumKind = Literal["current", "demodulated", "envelope", "vibration"]


class RecordInfo(ResponseModel):
    """The record whose samples are shown."""

    record: str
    machine_id: str
    family: str = Field(description="the fault family that it was diagnosed for")
    source: Literal["evidence", "stream"] = Field(
        description="stored behind a warning or fault, or still in the raw stream"
    )
    t_start: Number
    start: Time | None
    behind_s: Number = Field(
        description="how much earlier it ended than the latest diagnosis of its family, whose "
        "figures it does not have then; null where there is none"
    )
    duration_s: float
    fs_hz: float
    channels: list[str]


class SpectrumLine(View):
    """A line at the slip or speed measured, whether or not it is there."""

    name: str
    formula: str = Field(
        description="in f (supply), s (slip), fr (speed of rotation), FTF (bearing cage)"
    )
    hz: float = Field(description="where it is expected")
    low_hz: float = Field(description="the tolerance of slip or speed: lower end of its band")
    high_hz: float = Field(description="the same: upper end of its band")
    found_hz: Number = Field(description="the place in the band that was measured")
    level_db: Number = Field(description="level there, in this spectrum")
    floor_db: Number = Field(description="the noise there, as the diagnosis measures it")
    baseline_db: Number = Field(description="level when healthy, at this load")
    fault: str | None = Field(description="the diagnosis that examines it; null where none does")
    decided_in: SpectrumKind | None = Field(
        description="kind of spectrum in which that diagnosis reads its level"
    )
    found: bool | None = Field(
        description="whether it exceeds what noise makes, by the limit of the diagnosis"
    )


class Spectrum(View):
    """Levels over frequency: three lists of one length, and the lines expected among them."""

    kind: SpectrumKind
    record: RecordInfo
    channels: list[str]
    reference: Literal["supply line", "mean envelope", "1 m/s^2 rms"] = Field(
        description="0 dB: levels of currents are in dBc"
    )
    low_hz: float
    high_hz: float
    end_hz: float = Field(description="where the whole spectrum ends")
    resolution_hz: float
    bins: int = Field(
        description="in the range; more than points: highest and lowest of equal parts are given"
    )
    hz: list[float]
    levels_db: list[Number] = Field(description="null where there is no value")
    floor_db: list[Number] = Field(description="the local noise floor")
    lines: list[SpectrumLine]
    supply_hz: Number
    slip: Number
    slip_source: str | None
    shaft_hz: Number = Field(description="turns per second: what orders are multiples of")
    shaft_source: list[str]
    load_a: Number = Field(
        description="positive-sequence current, A rms; null without usable currents"
    )
    band_low_hz: Number = Field(description="of envelopes: the band of vibration")
    band_high_hz: Number


class Phasor(View):
    """One channel as it is wired."""

    channel: str
    unit: str
    rms: float
    angle_deg: float = Field(description="against the first voltage, else the first current")


class Phasors(View):
    """The phasors of a record, and the sequences made of them."""

    record: RecordInfo
    supply_hz: float
    phasors: list[Phasor]
    negative_sequence_ratio: Number = Field(description="|I2|/|I1|; null without three currents")
    zero_sequence_ratio: Number = Field(description="|I0|/|I1|")
    voltage_unbalance_ratio: Number = Field(description="|V2|/|V1|; null without three voltages")
    lag_deg: Number = Field(description="angle of I1 behind V1")


class WaveformPart(ResponseModel):
    """Samples of one channel, thinned so that no peak is lost."""

    record: RecordInfo
    channel: str
    unit: str
    start_s: float
    end_s: float
    samples: int = Field(
        description="in the range; more than points: highest and lowest of equal parts are given"
    )
    t_s: list[float] = Field(description="from the start of the record")
    values: list[Number]
