"""What a bearing is judged by: envelope line levels of each recording, computed batch by batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log10

import numpy as np

from vtox.arrays import Float32, Int
from vtox.diagnosers.bearing.search_setup import Job
from vtox.diagnosers.bearing.shaft_speed import unsteady
from vtox.domain import VIBRATIONS
from vtox.dsp import comb_plan, envelope_spectrum
from vtox.dsp.comb_plan import Plan
from vtox.dsp.envelope_spectrum import EnvelopeSpectra
from vtox.dsp.surrogates import Finding

# Samples worked on at a time: stays in the cache. Four signals, or a multiple, share a transform's
# vector registers: 0.13 ms a signal of 10,000 samples in eights, 0.25 ms alone.
CHUNK_SAMPLES = 80_000
# Shaft lines looked at to see whether the speed is steady reach to this order.
DRIFT_ORDERS = 8


@dataclass(frozen=True, slots=True)
class Look:
    """One recording as its bearing is seen, in the views of all its channels together.

    `power` and `lines` (views, bins): squared line amplitude over the squared mean envelope, and
    over the local floor; `drift` says that the speed changes within the record, if it does.
    """

    job: Job
    power: Float32
    lines: Float32
    df_hz: float
    looks: float
    drift: str

    @property
    def channels(self) -> list[str]:
        """Names of the channels, in the order of their views."""
        return [n for n in VIBRATIONS if n in self.job.recording.channels]

    @property
    def single_bands(self) -> Int:
        """Views of one band each, channel by channel."""
        bands = self.job.layout[0]
        channel = len(envelope_spectrum.view_bands(bands)) * np.arange(len(self.channels))
        return np.add.outer(channel, np.arange(bands)).reshape(-1)

    def place(self, view: int) -> tuple[str, float, float]:
        """Return the channel of a view, and the lower and upper edge of its band in Hz."""
        bands = self.job.layout[0]
        views = envelope_spectrum.view_bands(bands)
        low, high = views[view % len(views)]
        width_hz = self.job.recording.fs_hz / 2 / bands
        return self.channels[view // len(views)], low * width_hz, high * width_hz


def looks_at(jobs: Sequence[Job]) -> Iterator[list[Look]]:
    """Yield what is seen of each job; jobs of one layout are computed together, some at a time."""
    layouts: dict[tuple[int, int, int], list[Job]] = {}
    for job in jobs:
        layouts.setdefault(job.layout, []).append(job)
    for members in layouts.values():
        first = members[0].recording
        channels = sum(n in first.channels for n in VIBRATIONS)
        step = max(1, 4 * round(CHUNK_SAMPLES / 4 / first.samples / channels))
        for start in range(0, len(members), step):
            yield _together(members[start : start + step])


def marks_of(
    plan: Plan, finding: Finding, look: Look
) -> tuple[tuple[dict[str, float], ...], float]:
    """Return the harmonics of a comb found and the modulation of the envelope by all of it.

    The modulation is the root of the summed squared line amplitudes over the mean envelope, noise
    subtracted.
    """
    if finding.ratio < 1:
        return (), 0.0
    number, shift = np.array([finding.number]), plan.shifts[finding.sidebands]
    bins = comb_plan.lines_of(number, shift)[:, 0].tolist()
    stand, squared = look.lines[finding.view], look.power[finding.view]
    seen = [b for b in bins if 0 <= b < len(stand)]
    lines = list(zip(seen, stand.take(seen).tolist(), squared.take(seen).tolist(), strict=True))
    carriers = sum(b < len(stand) for b in bins[: comb_plan.HARMONICS])
    marks = tuple(
        {
            "hz": round(b * look.df_hz, 2),
            "over_floor_db": round(10 * log10(max(over, 1e-3)), 1),
            "modulation": round(power**0.5, 4),
        }
        for b, over, power in lines[:carriers]
    )
    own = sum(power * (1 - 1 / over) for b, over, power in lines if over > 1 and plan.usable[b])
    return marks, float(own**0.5)


def _together(jobs: Sequence[Job]) -> list[Look]:
    """Return what is seen of jobs of one layout."""
    recordings = [j.recording for j in jobs]
    x = np.asarray([r.channels[n] for r in recordings for n in VIBRATIONS if n in r.channels])
    bands, segments, share = jobs[0].layout
    spectra = envelope_spectrum.envelope_spectra(
        x.astype(np.float32, copy=False), recordings[0].fs_hz, bands=bands, segments=segments
    )
    reach = spectra.spectra[..., : max(1, spectra.spectra.shape[-1] // share)]
    power = envelope_spectrum.view_power(reach, spectra.mean)
    lines = envelope_spectrum.over_floor(power, spectra.looks)
    channels = len(x) // len(jobs)
    shape = (len(jobs), channels * power.shape[1], -1)
    return [
        Look(job, squared, stand, spectra.df_hz, spectra.looks, _drift(job, spectra, i * channels))
        for i, (job, squared, stand) in enumerate(
            zip(jobs, power.reshape(shape), lines.reshape(shape), strict=True)
        )
    ]


def _drift(job: Job, spectra: EnvelopeSpectra, first: int) -> str:
    """Return in words that the speed changes within a record long enough to show it."""
    segments = spectra.spectra.shape[2]
    third = segments // 3
    if not third:
        return ""
    looks = third * spectra.looks / segments
    bins = min(spectra.spectra.shape[-1], int(DRIFT_ORDERS * job.speed.hz / spectra.df_hz))
    parts, mean = spectra.spectra[first : first + 1, ..., :bins], spectra.mean[first : first + 1]
    early, late = (
        envelope_spectrum.over_floor(envelope_spectrum.view_power(part, mean)[0], looks)
        for part in (parts[:, :, :third], parts[:, :, -third:])
    )
    return unsteady(job.speed, early, late, spectra.df_hz, job.pull_hz)
