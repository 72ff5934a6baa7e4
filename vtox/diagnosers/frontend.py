"""What all current diagnosers share, computed once per batch of recordings of one shape.

Quality, supply frequency, wiring, sequence phasors in frames, and the complex envelope of the
supply line. Every diagnoser takes the `Front` and decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import scipy.fft

from vtox.domain import CURRENTS, VOLTAGES, Array, Motor, Recording
from vtox.dsp import baseband, quality, sequence, supply

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Complex = npt.NDArray[np.complexfloating]

# Of the spectra only this much is kept: slot harmonics of usual rotors lie below the first, and
# without a known rotor only the neighbourhood of the supply is looked at.
KEPT_HZ = 3000.0
KEPT_WITHOUT_BARS_HZ = 600.0
# So many samples are worked on at a time: stays near the cache and bounds the memory of a batch of
# long records (10 s at 10 kHz in one piece of 32: 4.0 ms a record, in pieces of 6: 2.6 ms).
CHUNK_SAMPLES = 2_000_000
# The supply line must hold this share of the power above 4 Hz; converter currents hold over 0.8.
LINE_SHARE = 0.3
MIN_CYCLES = 8
LOWEST_FS_HZ = 400.0


@dataclass(frozen=True, slots=True)
class Front:
    """Shared view of B recordings of one shape (channels, samples, rate); arrays run over them.

    Phasors and envelopes are peak values; `phases` and `order` tell how measured channels were
    assigned. What could not be computed is an empty array and has its reason in `problems`.
    """

    recordings: tuple[Recording, ...]
    motors: tuple[Motor, ...]
    fs_hz: float
    samples: int
    # Measured current and voltage channels, in the order of the channel axes below.
    currents: tuple[str, ...]
    voltages: tuple[str, ...]
    # Why currents (or voltages) of a recording cannot be used at all; empty where they can.
    problems: tuple[tuple[str, ...], ...]
    voltage_problems: tuple[tuple[str, ...], ...]
    f0_hz: Floats  # (B,) mean supply frequency; NaN without currents
    # Spectra of the measured currents, (B, C, bins), bin width df_hz, rfft of `fft_samples`.
    spectrum: Complex
    df_hz: float
    # Current channel that is phase a, b, c, and -1 where its clamp is reversed, both (B, 3).
    order: Ints
    signs: Ints
    frame_t_s: Floats  # (F,) centres of the 0.2 s frames
    phase_i: Complex  # (B, C, F) phasors of the measured currents as they came
    sequence_i: Complex  # (B, 3, F) sequences 0, 1, 2 of the currents; F = 0 unless three of them
    sequence_v: Complex  # (B, 3, F) of the voltages; F = 0 unless three of them
    # Positive-sequence complex envelope of the currents, shifted by `centre_hz`, at `rate_hz`.
    envelope: Complex  # (B, points)
    envelope_v: Complex  # (B, points) of the voltages; points = 0 unless three of them
    rate_hz: float
    centre_hz: Floats  # (B,)

    @property
    def duration_s(self) -> float:
        """Length of every recording, s."""
        return self.samples / self.fs_hz

    @property
    def three_currents(self) -> bool:
        """Whether all three phase currents were measured."""
        return len(self.currents) == 3

    def phase_name(self, i: int, phase: int) -> str:
        """Return `a`, `b` or `c`, the measured channel of phase 0, 1 or 2 after ordering."""
        return str(self.currents[self.order[i, phase]])[-1]

    def current_rms_a(self) -> Floats:
        """Return the RMS value of the fundamental current, shape (B,), A."""
        return np.asarray(np.sqrt(np.mean(np.abs(self.envelope) ** 2, axis=-1) / 2), np.float64)


def front_end(recordings: Sequence[Recording], motors: Sequence[Motor]) -> Front:
    """Return the shared view of recordings that agree in channels, samples and rate."""
    first = recordings[0]
    fs_hz = first.fs_hz
    currents = tuple(c for c in CURRENTS if c in first.channels)
    voltages = tuple(v for v in VOLTAGES if v in first.channels)
    kept_hz = KEPT_HZ if any(m.rotor_bars for m in motors) else KEPT_WITHOUT_BARS_HZ
    step = max(1, CHUNK_SAMPLES // (max(1, len(currents) + len(voltages)) * first.samples))
    pieces = [
        _reduce(recordings[b : b + step], currents, voltages, kept_hz)
        for b in range(0, len(recordings), step)
    ]
    r = pieces[0] if len(pieces) == 1 else _joined(pieces)
    three_i, three_v = len(currents) == 3, len(voltages) == 3
    none = np.zeros((len(recordings), 3, 0), complex)
    return Front(
        recordings=tuple(recordings),
        motors=tuple(motors),
        fs_hz=fs_hz,
        samples=first.samples,
        currents=currents,
        voltages=voltages,
        problems=tuple(
            p or _supply_problems(float(r.f0_hz[b]), float(r.share[b]), motors[b], first.duration_s)
            for b, p in enumerate(r.problems)
        ),
        voltage_problems=r.voltage_problems,
        f0_hz=r.f0_hz,
        spectrum=r.spectrum,
        df_hz=r.df_hz,
        order=r.order,
        signs=r.signs,
        frame_t_s=r.frame_t_s,
        phase_i=r.frames[:, : len(currents)],
        sequence_i=_sequences(r.frames[:, :3], r.order, r.signs) if three_i else none,
        sequence_v=_sequences(r.frames[:, -3:], r.order_v, r.signs_v) if three_v else none,
        envelope=r.envelope,
        envelope_v=r.envelope_v,
        rate_hz=r.rate_hz,
        centre_hz=r.centre_hz,
    )


@dataclass(frozen=True, slots=True)
class _Reduced:
    """A piece of a batch after every step that touches samples."""

    problems: tuple[tuple[str, ...], ...]
    voltage_problems: tuple[tuple[str, ...], ...]
    share: Floats
    f0_hz: Floats
    centre_hz: Floats
    spectrum: Complex
    order: Ints
    signs: Ints
    order_v: Ints
    signs_v: Ints
    envelope: Complex
    envelope_v: Complex
    frames: Complex
    frame_t_s: Floats
    df_hz: float
    rate_hz: float


def _reduce(
    recordings: Sequence[Recording],
    currents: tuple[str, ...],
    voltages: tuple[str, ...],
    kept_hz: float,
) -> _Reduced:
    fs_hz = recordings[0].fs_hz
    x = _stack(recordings, currents + voltages)
    n = len(currents)
    problems = _problems(x[:, :n], currents, fs_hz)
    voltage_problems = _problems(x[:, n:], voltages, fs_hz)
    for b, reasons in enumerate(zip(problems, voltage_problems, strict=True)):
        if any(reasons):  # one bad recording must leave the batch computable
            np.nan_to_num(x[b], copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    samples = x.shape[-1]
    if not currents or fs_hz < LOWEST_FS_HZ or samples < quality.MIN_SAMPLES:
        return _nothing(problems, voltage_problems, len(recordings), currents)
    samples = scipy.fft.prev_fast_len(samples, real=True)
    df_hz = fs_hz / samples
    kept = 1 + min(samples // 2, int(kept_hz / df_hz))
    spectra = scipy.fft.rfft(x[..., :samples], axis=-1)[..., :kept]
    spectrum = spectra[:, :n].copy()
    centre, share = supply.line_bin(spectrum, df_hz, min(fs_hz / 3, 450.0))
    centre_hz = np.asarray(centre * df_hz, np.float64)
    envelopes, rate_hz = baseband.around_line(spectra, centre, samples, fs_hz)
    at_line = np.take_along_axis(spectra, centre[:, None, None], axis=-1)[..., 0]
    signs, order, envelope = _positive(at_line[:, :n], envelopes[:, :n])
    signs_v, order_v, envelope_v = signs, order, envelope[:, :0]
    if len(voltages) == 3:
        signs_v, order_v, envelope_v = _positive(at_line[:, n:], envelopes[:, n:])
    f0_hz = supply.frequency_hz(envelope, rate_hz, centre_hz)
    frame_t_s, frames = supply.frame_phasors(x, fs_hz, f0_hz)
    return _Reduced(
        problems=problems,
        voltage_problems=voltage_problems,
        share=share,
        f0_hz=f0_hz,
        centre_hz=centre_hz,
        spectrum=spectrum,
        order=order,
        signs=signs,
        order_v=order_v,
        signs_v=signs_v,
        envelope=envelope,
        envelope_v=envelope_v,
        frames=frames,
        frame_t_s=frame_t_s,
        df_hz=df_hz,
        rate_hz=rate_hz,
    )


def _nothing(
    problems: tuple[tuple[str, ...], ...],
    voltage_problems: tuple[tuple[str, ...], ...],
    batch: int,
    currents: tuple[str, ...],
) -> _Reduced:
    """Return a piece in which nothing could be computed, with the reason for each recording."""
    missing = () if currents else ("no current channel",)
    none = np.zeros((batch, 3, 0), np.complex64)
    order = np.tile(np.arange(3), (batch, 1))
    return _Reduced(
        problems=tuple((*missing, *p) for p in problems),
        voltage_problems=voltage_problems,
        share=np.zeros(batch),
        f0_hz=np.full(batch, np.nan),
        centre_hz=np.full(batch, np.nan),
        spectrum=none,
        order=order,
        signs=np.ones((batch, 3), int),
        order_v=order,
        signs_v=np.ones((batch, 3), int),
        envelope=none[:, 0],
        envelope_v=none[:, 0],
        frames=none,
        frame_t_s=np.zeros(0),
        df_hz=0.0,
        rate_hz=1.0,
    )


def _joined(pieces: Sequence[_Reduced]) -> _Reduced:
    """Return the pieces as one batch; what has no batch axis is the same in all of them."""

    def join(name: str) -> object:
        values = [getattr(p, name) for p in pieces]
        if name in ("frame_t_s", "df_hz", "rate_hz"):
            return values[0]
        return sum(values, ()) if isinstance(values[0], tuple) else np.concatenate(values)

    return _Reduced(**{f.name: join(f.name) for f in fields(_Reduced)})  # type: ignore[arg-type]


def _sequences(phasors: Complex, order: Ints, signs: Ints) -> Complex:
    turned = phasors * signs[..., None]
    return sequence.components(np.take_along_axis(turned, order[..., None], axis=1))


def _stack(recordings: Sequence[Recording], names: Sequence[str]) -> Array:
    x = np.empty((len(recordings), len(names), recordings[0].samples), np.float32)
    for b, recording in enumerate(recordings):
        for c, name in enumerate(names):
            x[b, c] = recording.channels[name]
    return x


def _problems(x: Array, names: Sequence[str], fs_hz: float) -> tuple[tuple[str, ...], ...]:
    """Return the reasons of all channels together, per recording."""
    checks = [quality.check(x[:, c], name, fs_hz) for c, name in enumerate(names)]
    found = [sum(each, ()) for each in zip(*checks, strict=True)] or [()] * len(x)
    if names and fs_hz < LOWEST_FS_HZ:
        low = f"sampling rate too low: {fs_hz:g} Hz, need {LOWEST_FS_HZ:g} Hz"
        found = [(*f, low) for f in found]
    return tuple(found)


def _positive(at_line: Complex, envelopes: Complex) -> tuple[Ints, Ints, Complex]:
    """Return signs, order and the positive-sequence envelope of one, two or three channels.

    Of two channels the third follows, because the currents of a motor without neutral sum to zero;
    of one the envelope is its own.
    """
    batch, channels = at_line.shape
    if channels == 1:
        return np.ones((batch, 3), int), np.zeros((batch, 3), int), envelopes[:, 0]
    if channels == 2:
        at_line, envelopes = (
            np.concatenate([z, -z.sum(axis=1, keepdims=True)], axis=1) for z in (at_line, envelopes)
        )
    signs, order = sequence.wiring(at_line)
    weight = sequence.FORTESCUE[1][np.argsort(order, axis=1)] * signs
    envelope = np.einsum("bp,bpn->bn", weight.astype(np.complex64), envelopes)
    return signs, order, envelope


def _supply_problems(
    f0_hz: float, share: float, motor: Motor, duration_s: float
) -> tuple[str, ...]:
    if share < LINE_SHARE:
        return (
            f"supply not found: the strongest line, {f0_hz:.2f} Hz, holds {share:.0%} of the power",
        )
    if duration_s * f0_hz < MIN_CYCLES:
        return (
            f"too short: {duration_s:.3g} s hold {duration_s * f0_hz:.1f} supply cycles, "
            f"need {MIN_CYCLES}",
        )
    named = motor.supply_hz
    if named and motor.supply == "grid" and not 0.92 * named < f0_hz < 1.08 * named:
        return (
            f"supply found at {f0_hz:.2f} Hz, not at the nameplate's {named:g} Hz: sampling rate "
            f"or nameplate is wrong",
        )
    return ()
