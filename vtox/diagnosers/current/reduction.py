"""Every step of the shared front end that touches samples, for one piece of a batch at a time.

A piece goes in as recordings and comes out as spectra, envelopes and frame phasors, a fiftieth of
its size; `frontend` puts the pieces together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from vtox.arrays import Complex, Float64, Int
from vtox.diagnosers.current.pole_pairs import LARGEST_SLIP, bars_per_pair
from vtox.domain import Array, Motor, Reason, Recording, reason
from vtox.dsp import (
    demodulation,
    partial_fft,
    quality,
    slot_harmonics,
    supply_line,
    symmetrical_components,
)
from vtox.dsp.partial_fft import Spectra

LOWEST_FS_HZ = 400.0
SHORTEST_S = 0.05
# The supply is looked for below this and below a third of the sampling rate; its surroundings lie
# below the second, slot harmonics of usual rotors below the third.
HIGHEST_SUPPLY_HZ = 450.0
HIGHEST_LINE_HZ = 600.0
HIGHEST_SLOT_HZ = 3000.0


@dataclass(frozen=True, slots=True)
class Reduced:
    """A piece of a batch after every step that touches samples."""

    problems: tuple[tuple[Reason, ...], ...]
    voltage_problems: tuple[tuple[Reason, ...], ...]
    share: Float64
    f0_hz: Float64
    windowed_f0_hz: Float64
    centre_hz: Float64
    bars_per_pair: Float64
    slot_band: slot_harmonics.Band | None
    order: Int
    signs: Int
    order_v: Int
    signs_v: Int
    envelope: Complex
    envelope_v: Complex
    frames: Complex
    frame_t_s: Float64
    rate_hz: float


def reduced(
    recordings: Sequence[Recording],
    motors: Sequence[Motor],
    currents: tuple[str, ...],
    voltages: tuple[str, ...],
    *,
    frames: bool,
    slot_band: bool,
) -> Reduced:
    """Return a piece of recordings of one shape, with frame phasors and slot bands if wanted."""
    fs_hz = recordings[0].fs_hz
    x = _stack(recordings, currents + voltages)
    n = len(currents)
    problems = _problems(x[:, :n], currents, fs_hz)
    voltage_problems = _problems(x[:, n:], voltages, fs_hz)
    for b, reasons in enumerate(zip(problems, voltage_problems, strict=True)):
        if any(reasons):  # one bad recording must leave the batch computable
            np.nan_to_num(x[b], copy=False, nan=0.0, posinf=0.0, neginf=0.0)
            np.clip(x[b], -quality.LARGEST, quality.LARGEST, out=x[b])
    samples = x.shape[-1]
    usable = fs_hz >= LOWEST_FS_HZ and samples >= max(quality.MIN_SAMPLES, SHORTEST_S * fs_hz)
    if not (currents and usable):
        return _nothing(problems, voltage_problems, len(recordings), currents)
    spectra = partial_fft.spectra(x)
    df_hz = fs_hz / spectra.samples
    low = spectra.low(min(spectra.bins, 1 + int(HIGHEST_LINE_HZ / df_hz)))
    centre, share = supply_line.line_bin(low[:, :n], df_hz, min(fs_hz / 3, HIGHEST_SUPPLY_HZ))
    centre_hz = np.asarray(centre * df_hz, np.float64)
    at_line = low[np.arange(len(low)), :, centre]
    signs, order, positive = _positive(at_line[:, :n], low[:, :n])
    signs_v, order_v, positive_v = signs, order, positive[:, :0]
    envelope, rate_hz = demodulation.around_line(positive, centre, spectra.samples, fs_hz)
    envelope_v = envelope[:, :0]
    if len(voltages) == 3:
        signs_v, order_v, positive_v = _positive(at_line[:, n:], low[:, n:])
        envelope_v, _ = demodulation.around_line(positive_v, centre, spectra.samples, fs_hz)
    f0_hz, windowed_f0_hz = supply_line.frequencies_hz(envelope, rate_hz, centre_hz)
    bars = _shown(np.array(list(map(bars_per_pair, motors, recordings, f0_hz))), f0_hz, fs_hz)
    frame_t_s, phasors = np.zeros(0), np.zeros((*x.shape[:2], 0), complex)
    if frames:
        frame_t_s, phasors = supply_line.frame_phasors(x, fs_hz, f0_hz)
    return Reduced(
        problems=problems,
        voltage_problems=voltage_problems,
        share=share,
        f0_hz=f0_hz,
        windowed_f0_hz=windowed_f0_hz,
        centre_hz=centre_hz,
        bars_per_pair=bars,
        slot_band=_slot_band(spectra, n, fs_hz, f0_hz, bars) if slot_band else None,
        order=order,
        signs=signs,
        order_v=order_v,
        signs_v=signs_v,
        envelope=envelope,
        envelope_v=envelope_v,
        frames=phasors,
        frame_t_s=frame_t_s,
        rate_hz=rate_hz,
    )


def joined(pieces: Sequence[Reduced]) -> Reduced:
    """Return the pieces as one batch; what has no batch axis is the same in all of them."""

    def join(name: str) -> object:
        values = [getattr(p, name) for p in pieces]
        if name in ("frame_t_s", "rate_hz"):
            return values[0]
        if name == "slot_band":
            return values[0] and slot_harmonics.concatenate(values)
        return sum(values, ()) if isinstance(values[0], tuple) else np.concatenate(values)

    return Reduced(**{f.name: join(f.name) for f in fields(Reduced)})  # type: ignore[arg-type]


def _shown(bars: Float64, f0_hz: Float64, fs_hz: float) -> Float64:
    """Return the bars per pole pair, NaN where the recording cannot show their slot harmonics.

    The two beside f R/p are the strong ones. Where they lie above half the sampling rate, what is
    seen of them are images, which pass for other orders at a wrong slip.
    """
    lowest = f0_hz * (bars * (1 - LARGEST_SLIP) + slot_harmonics.ORDERS[0])
    shown = (f0_hz * (bars + 1) < fs_hz / 2) & (lowest < HIGHEST_SLOT_HZ)
    return np.where(shown, bars, np.nan)


def _slot_band(
    spectra: Spectra, currents: int, fs_hz: float, f0_hz: Float64, bars: Float64
) -> slot_harmonics.Band:
    """Return the stretch of the currents' spectra in which slot harmonics may lie."""
    df_hz = fs_hz / spectra.samples
    bins = min(spectra.bins, 1 + int(HIGHEST_SLOT_HZ / df_hz))
    first, width = slot_harmonics.reach(f0_hz, bars, LARGEST_SLIP, df_hz, bins)
    parts = replace(spectra, parts=spectra.parts[:, :currents])
    return slot_harmonics.Band(parts.at(first, width), first, bins, df_hz)


def _nothing(
    problems: tuple[tuple[Reason, ...], ...],
    voltage_problems: tuple[tuple[Reason, ...], ...],
    batch: int,
    currents: tuple[str, ...],
) -> Reduced:
    """Return a piece in which nothing could be computed, with the reason for each recording."""
    missing = () if currents else (reason("no_current"),)
    none = np.zeros((batch, 3, 0), np.complex64)
    order = np.tile(np.arange(3), (batch, 1))
    return Reduced(
        problems=tuple((*missing, *p) for p in problems),
        voltage_problems=voltage_problems,
        share=np.zeros(batch),
        f0_hz=np.full(batch, np.nan),
        windowed_f0_hz=np.full(batch, np.nan),
        centre_hz=np.full(batch, np.nan),
        bars_per_pair=np.full(batch, np.nan),
        slot_band=None,
        order=order,
        signs=np.ones((batch, 3), int),
        order_v=order,
        signs_v=np.ones((batch, 3), int),
        envelope=none[:, 0],
        envelope_v=none[:, 0],
        frames=none,
        frame_t_s=np.zeros(0),
        rate_hz=1.0,
    )


def _stack(recordings: Sequence[Recording], names: Sequence[str]) -> Array:
    x = np.empty((len(recordings), len(names), recordings[0].samples), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused as infinite
        for b, recording in enumerate(recordings):
            for c, name in enumerate(names):
                x[b, c] = recording.channels[name]
    return x


def _problems(x: Array, names: Sequence[str], fs_hz: float) -> tuple[tuple[Reason, ...], ...]:
    """Return the reasons of all channels together, per recording."""
    if not names:
        return ((),) * len(x)
    found = quality.problems(x, names, fs_hz)
    if fs_hz < LOWEST_FS_HZ:
        low = reason("rate_too_low", fs_hz=fs_hz, needed_hz=LOWEST_FS_HZ)
        found = [(*f, low) for f in found]
    seconds = x.shape[-1] / fs_hz
    if seconds < SHORTEST_S and x.shape[-1] >= quality.MIN_SAMPLES:
        short = reason("record_too_short", duration_s=seconds, needed_s=SHORTEST_S)
        found = [(*f, short) for f in found]
    return tuple(found)


def _positive(at_line: Complex, spectra: Complex) -> tuple[Int, Int, Complex]:
    """Return signs, order and the positive-sequence spectrum of one, two or three channels.

    Of two channels the third follows, because the currents of a motor without neutral sum to zero;
    of one the spectrum is its own.
    """
    batch, channels = at_line.shape
    if channels == 1:
        return np.ones((batch, 3), int), np.zeros((batch, 3), int), spectra[:, 0]
    if channels == 2:
        at_line = np.concatenate([at_line, -at_line.sum(axis=1, keepdims=True)], axis=1)
    signs, order = symmetrical_components.wiring(at_line)
    weight = symmetrical_components.FORTESCUE[1][np.argsort(order, axis=1)] * signs
    weight = weight[:, :channels] - (weight[:, 2:] if channels == 2 else 0)
    return signs, order, np.einsum("bp,bpn->bn", weight.astype(np.complex64), spectra)
