"""Envelope line levels of each recording in many bands, computed some recordings at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from math import log10
from operator import itemgetter
from typing import TypedDict

import numpy as np

from vtox.motor.diagnosis.diagnosers.bearing.search_setup import Layout, SearchSetup
from vtox.motor.diagnosis.diagnosers.bearing.shaft_speed import speed_change
from vtox.motor.diagnosis.dsp import comb_plan, envelope_spectrum, envelope_variance
from vtox.motor.diagnosis.dsp.comb_plan import Plan
from vtox.motor.diagnosis.dsp.envelope_spectrum import (
    EnvelopeSpectra,
    segment_length,
    segment_spectra,
)
from vtox.motor.diagnosis.dsp.surrogates import Finding
from vtox.motor.values.arrays import Complex, Float32, Int
from vtox.motor.values.domain import VIBRATIONS, Reason

# Samples computed at a time. Four signals, or a multiple, share a transform's vector registers:
# 0.13 ms a signal of 10,000 samples in eights, 0.25 ms alone. Many also share the fixed cost of a
# call. Larger chunks gain nothing. docs/calibration/bearing.md#chunks
CHUNK_SAMPLES = 320_000


@dataclass(frozen=True, slots=True)
class EnvelopeViews:
    """The envelope spectra of one recording, in the views of all its channels together."""

    setup: SearchSetup
    #: Squared line amplitude over the squared mean envelope, shape (views, bins).
    power: Float32
    #: `power` over the local noise floor, shape (views, bins).
    lines: Float32
    #: The highest of `lines` of all views, and a zero for lines outside, shape (bins + 1,).
    highest: Float32
    #: Variance of the envelope over its squared mean, shape (views,).
    variance: Float32
    df_hz: float
    #: Equivalent number of averaged spectra.
    n_averages: float
    #: Of the layout.
    bands: int
    segments: int
    #: Reason if the speed changes within the record.
    speed_change: Reason | None

    @property
    def channels(self) -> list[str]:
        """Names of the channels, in the order of their views."""
        return [n for n in VIBRATIONS if n in self.setup.recording.channels]

    @property
    def single_bands(self) -> Int:
        """Views of one band each, channel by channel."""
        channel = len(envelope_spectrum.view_bands(self.bands)) * np.arange(len(self.channels))
        return np.add.outer(channel, np.arange(self.bands)).reshape(-1)

    @property
    def whole_views(self) -> Int:
        """The view of all bands as they are, of each channel."""
        return _whole_views(self.bands, len(self.channels))

    def band(self, view: int) -> tuple[str, float, float]:
        """Return the channel of a view, and the lower and upper edge of its band in Hz."""
        views = envelope_spectrum.view_bands(self.bands)
        low, high = views[view % len(views)]
        width_hz = self.setup.recording.fs_hz / 2 / self.bands
        return self.channels[view // len(views)], low * width_hz, high * width_hz


@lru_cache(maxsize=64)
def _whole_views(bands: int, channels: int) -> Int:
    views = len(envelope_spectrum.view_bands(bands))
    return views * np.arange(1, channels + 1) - 2


def analyse_envelopes(setups: Sequence[SearchSetup]) -> Iterator[list[EnvelopeViews]]:
    """Yield the envelope views of recordings in pieces of one layout; a layout may have several.

    Recordings whose segments are of one length are transformed together: two or three of a layout
    alone would take half as long again.
    """
    lengths: dict[tuple[int, int], list[tuple[Layout, SearchSetup]]] = {}
    for setup in setups:
        layout = bands, segments, _ = setup.layout
        length = segment_length(setup.recording.samples, bands=bands, segments=segments)
        lengths.setdefault((length, segments), []).append((layout, setup))
    for (length, segments), members in lengths.items():
        members.sort(key=itemgetter(0))
        first = members[0][1].recording
        channels = sum(n in first.channels for n in VIBRATIONS)
        step = max(1, 4 * round(CHUNK_SAMPLES / 4 / first.samples / channels))
        # The rest of the last one, up to half a chunk, is computed with the one before it.
        starts = [step * k for k in range(max(1, round(len(members) / step)))]
        for start, stop in zip(starts, [*starts[1:], len(members)], strict=True):
            yield from _analyse_chunk(members[start:stop], length, segments)


class Harmonic(TypedDict):
    """A line of a comb that was found."""

    hz: float
    over_floor_db: float
    modulation: float


def measure_comb(
    plan: Plan, finding: Finding, views: EnvelopeViews
) -> tuple[tuple[Harmonic, ...], float]:
    """Return the harmonics of a comb found and the modulation of the envelope by all its lines.

    The modulation is the root of the summed squared line amplitudes over the mean envelope, noise
    subtracted.
    """
    if finding.ratio < 1:
        return (), 0.0
    lines, carriers = _lines_of_comb(plan, finding, views)
    harmonics: tuple[Harmonic, ...] = tuple(
        {
            "hz": round(b * views.df_hz, 2),
            "over_floor_db": round(10 * log10(max(over, 1e-3)), 1),
            "modulation": round(power**0.5, 4),
        }
        for b, over, power, _ in lines[:carriers]
    )
    return harmonics, _modulation(lines)


def _lines_of_comb(
    plan: Plan, finding: Finding, views: EnvelopeViews
) -> tuple[list[tuple[int, float, float, float]], int]:
    """Return bin, power over the floor, squared amplitude of each line, and 0 if it is masked.

    With them how many harmonics come first.
    """
    number, shift = np.array([finding.number]), plan.shifts[finding.sidebands]
    bins = comb_plan.comb_bins(number, shift)[:, 0].tolist()
    over_floor, squared = views.lines[finding.view], views.power[finding.view]
    inside = [b for b in bins if 0 <= b < len(over_floor)]
    columns = (x.take(inside).tolist() for x in (over_floor, squared, plan.unmasked))
    carriers = sum(b < len(over_floor) for b in bins[: comb_plan.HARMONICS])
    return list(zip(inside, *columns, strict=True)), carriers


def _modulation(lines: list[tuple[int, float, float, float]]) -> float:
    own = sum(power * (1 - 1 / over) for _, over, power, unmasked in lines if over > 1 and unmasked)
    return float(own**0.5)


def _analyse_chunk(
    members: Sequence[tuple[Layout, SearchSetup]], length: int, segments: int
) -> Iterator[list[EnvelopeViews]]:
    """Yield the envelope views of recordings in order of their layouts, one layout at a time."""
    recordings = [s.recording for _, s in members]
    x = [r.channels[n] for r in recordings for n in VIBRATIONS if n in r.channels]
    channels = len(x) // len(members)
    spectra = segment_spectra(x, length, segments)
    for layout, of_layout in groupby(members, itemgetter(0)):
        setups = [s for _, s in of_layout]
        rows = channels * len(setups)
        yield _analyse_layout(setups, layout, spectra[:rows])
        spectra = spectra[rows:]


def _analyse_layout(
    setups: Sequence[SearchSetup], layout: Layout, of_segments: Complex
) -> list[EnvelopeViews]:
    """Return the envelope views of recordings of one layout.

    `of_segments` from `segment_spectra`, shape (setups * channels, segments, length / 2).
    """
    bands, segments, share = layout
    fs_hz = setups[0].recording.fs_hz
    spectra = envelope_spectrum.spectra_of_envelopes(of_segments, fs_hz, bands=bands)
    low_bins = spectra.spectra[..., : max(1, spectra.spectra.shape[-1] // share)]
    power = envelope_spectrum.view_power(low_bins, spectra.mean)
    lines = envelope_spectrum.over_floor(power, spectra.n_averages)
    channels = len(of_segments) // len(setups)
    shape = (len(setups), channels * power.shape[1], -1)
    lines = lines.reshape(shape)
    highest = np.zeros((len(setups), lines.shape[2] + 1), np.float32)
    lines.max(axis=1, out=highest[:, :-1])
    variance = envelope_variance.variance(power).reshape(shape[:-1])
    return [
        EnvelopeViews(
            setup=setup,
            power=own_power,
            lines=own_lines,
            highest=highest[i],
            variance=variance[i],
            df_hz=spectra.df_hz,
            n_averages=spectra.n_averages,
            bands=bands,
            segments=segments,
            speed_change=_speed_change(setup, spectra, i * channels),
        )
        for i, (setup, own_power, own_lines) in enumerate(
            zip(setups, power.reshape(shape), lines, strict=True)
        )
    ]


def _speed_change(setup: SearchSetup, spectra: EnvelopeSpectra, first: int) -> Reason | None:
    """Return the reason if the speed changes within a record long enough to show it.

    `first` is the row of the recording's first channel.
    """
    segments = spectra.spectra.shape[2]
    third = segments // 3
    if not third:
        return None
    n_averages = third * spectra.n_averages / segments
    bins = min(spectra.spectra.shape[-1], int(8 * setup.speed.hz / spectra.df_hz))  # 8 orders
    channel, mean = spectra.spectra[first : first + 1, ..., :bins], spectra.mean[first : first + 1]
    early, late = (
        envelope_spectrum.over_floor(envelope_spectrum.view_power(part, mean)[0], n_averages)
        for part in (channel[:, :, :third], channel[:, :, -third:])
    )
    return speed_change(setup.speed, early, late, spectra.df_hz, setup.magnetic_pull_hz)
