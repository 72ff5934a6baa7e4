"""Shapes of spectra, waveforms and their records."""

from math import isfinite
from typing import Annotated, Literal

from pydantic import BeforeValidator

from api.schemas.common import Number, ResponseModel, Time
from api.schemas.value_fields import After
from api.schemas.view import View
from vtox.motor.values import spectra


def _finite(digits: int) -> BeforeValidator:
    """Return the validator that makes a list of an array: rounded, null if not finite."""
    return BeforeValidator(lambda x: [v if isfinite(v) else None for v in x.round(digits).tolist()])


class RecordInfo(View):
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


class SpectrumLine(View, value=spectra.ExpectedLine):
    """A line at the slip or speed measured, whether or not it is there."""


class Spectrum(View, value=spectra.Spectrum, without="band_hz"):
    """Levels over frequency: three lists of one length, and the lines expected among them."""

    record: Annotated[RecordInfo, After("kind")]
    low_hz: Annotated[float, After("reference")]
    high_hz: Annotated[float, After("low_hz")]
    end_hz: Annotated[float, After("high_hz")]
    """highest frequency of the whole spectrum"""
    hz: Annotated[list[float], _finite(4)]
    levels_db: Annotated[list[Number], _finite(2)]
    """null if there is no value"""
    floor_db: Annotated[list[Number], _finite(2)]
    """the local noise floor"""
    lines: list[SpectrumLine]
    band_low_hz: Number
    """of envelopes: the band of vibration"""
    band_high_hz: Number


class Phasor(View, value=spectra.Phasor):
    """One channel as it is wired."""

    unit: Annotated[str, After("channel")]


class Phasors(View, value=spectra.Phasors):
    """The phasors of a record, and the sequences made of them."""

    record: Annotated[RecordInfo, After("")]
    phasors: list[Phasor]


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
