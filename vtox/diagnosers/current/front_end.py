"""What all current diagnosers share, computed once per batch of recordings of one shape.

Quality, supply frequency, wiring, sequence phasors in frames, and the complex envelope of the
supply line. Every diagnoser takes the `CurrentAnalysis` and decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtox.arrays import Complex, Float64, Int
from vtox.diagnosers.current.phase_pairing import pairing, unpaired
from vtox.diagnosers.current.reduction import joined, reduced
from vtox.domain import CURRENTS, VOLTAGES, Motor, Reason, Recording, reason
from vtox.dsp import symmetrical_components
from vtox.dsp.slot_harmonics import Band

# So many samples are worked on at a time, and at least so many recordings: stays near the cache and
# shares what a call costs whatever its size. Measured on 32 records of 1 s at 10 kHz, ms each:
# 0.30 in pieces of 4, 0.21 of 16, 0.28 in one; of 10 s: 2.3 one by one, 1.8 in sixes, 2.0 in 13s.
# (A process that keeps its freed memory, as workers do, loses nothing by larger pieces.)
CHUNK_SAMPLES = 500_000
CHUNK_LEAST = 5
# The supply line must hold this share of the power above 4 Hz; converter currents hold over 0.8.
LINE_SHARE = 0.3
MIN_CYCLES = 8


@dataclass(frozen=True, slots=True)
class CurrentAnalysis:
    """Shared view of B recordings of one shape (channels, samples, rate); arrays run over them.

    Phasors and envelopes are peak values; `order` and `signs` tell how measured channels were
    assigned to phases. What could not be computed is an empty array and has its reason in
    `problems`.
    """

    recordings: tuple[Recording, ...]
    motors: tuple[Motor, ...]
    fs_hz: float
    samples: int
    # Measured current and voltage channels, in the order of the channel axes below.
    currents: tuple[str, ...]
    voltages: tuple[str, ...]
    # Why currents (or voltages) of a recording cannot be used at all; empty where they can.
    problems: tuple[tuple[Reason, ...], ...]
    voltage_problems: tuple[tuple[Reason, ...], ...]
    # Why voltages, sound by themselves, cannot be used together with the currents; else None.
    pairing_problems: tuple[Reason | None, ...]
    # (B,) what was turned about to pair them, in degrees of V1, and the angle of I1 behind V1; NaN
    # where that is not known.
    turned_deg: Int
    lag_rad: Float64
    f0_hz: Float64  # (B,) mean supply frequency; NaN without currents
    windowed_f0_hz: Float64  # (B,) the same, weighted as a Hann window weights slot harmonics
    bars_per_pair: Float64  # (B,) rotor bars over pole pairs; NaN where unknown
    slot_band: Band | None  # spectra of the measured currents around the slot harmonics
    # Current channel that is phase a, b, c, and -1 where its clamp is reversed, both (B, 3).
    order: Int
    signs: Int
    frame_t_s: Float64  # (F,) centres of the 0.2 s frames; F = 0 unless asked for
    sequence_i: Complex  # (B, 3, F) sequences 0, 1, 2 of the currents; F = 0 unless three of them
    sequence_v: Complex  # (B, 3, F) of the voltages; F = 0 unless three of them
    # Positive-sequence complex envelope of the currents, shifted by `centre_hz`, at `rate_hz`.
    envelope: Complex  # (B, points)
    envelope_v: Complex  # (B, points) of the voltages; points = 0 unless three of them
    rate_hz: float
    centre_hz: Float64  # (B,)

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

    def current_rms_a(self) -> Float64:
        """Return the RMS value of the fundamental current, shape (B,), A."""
        return np.asarray(np.sqrt(np.mean(np.abs(self.envelope) ** 2, axis=-1) / 2), np.float64)


def front_end(
    recordings: Sequence[Recording],
    motors: Sequence[Motor],
    *,
    frames: bool = True,
    slot_band: bool = True,
) -> CurrentAnalysis:
    """Return the shared view of recordings that agree in channels, samples and rate.

    `frames` and `slot_band` say whether anybody will look at them.
    """
    first = recordings[0]
    fs_hz = first.fs_hz
    currents = tuple(c for c in CURRENTS if c in first.channels)
    voltages = tuple(v for v in VOLTAGES if v in first.channels)
    step = max(
        CHUNK_LEAST,
        CHUNK_SAMPLES // max(1, (len(currents) + len(voltages)) * first.samples),
    )
    pieces = [
        reduced(
            recordings[b : b + step],
            motors[b : b + step],
            currents,
            voltages,
            frames=frames,
            slot_band=slot_band,
        )
        for b in range(0, len(recordings), step)
    ]
    r = pieces[0] if len(pieces) == 1 else joined(pieces)
    three_i, three_v = len(currents) == 3, len(voltages) == 3
    none = np.zeros((len(recordings), 3, 0), complex)
    sequence_v = _sequences(r.frames[:, -3:], r.order_v, r.signs_v) if three_v else none
    envelope_v = r.envelope_v
    paired = unpaired(len(recordings))
    if three_i and three_v and r.envelope.shape[-1]:
        paired = pairing(r.envelope, r.envelope_v, r.f0_hz, motors)
        turns = np.stack([np.ones_like(paired.turn), paired.turn, paired.turn.conj()], axis=-1)
        sequence_v = sequence_v * turns[:, :, None]
        envelope_v = envelope_v * paired.turn[:, None].astype(envelope_v.dtype)
    usable = np.array([not (i or v) for i, v in zip(r.problems, r.voltage_problems, strict=True)])
    return CurrentAnalysis(
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
        pairing_problems=tuple(
            p if use else None for p, use in zip(paired.problems, usable, strict=True)
        ),
        turned_deg=np.round(np.degrees(np.angle(paired.turn))).astype(int),
        lag_rad=np.where(usable, paired.lag_rad, np.nan),
        f0_hz=r.f0_hz,
        windowed_f0_hz=r.windowed_f0_hz,
        bars_per_pair=r.bars_per_pair,
        slot_band=r.slot_band,
        order=r.order,
        signs=r.signs,
        frame_t_s=r.frame_t_s,
        sequence_i=_sequences(r.frames[:, :3], r.order, r.signs) if three_i else none,
        sequence_v=sequence_v,
        envelope=r.envelope,
        envelope_v=envelope_v,
        rate_hz=r.rate_hz,
        centre_hz=r.centre_hz,
    )


def _sequences(phasors: Complex, order: Int, signs: Int) -> Complex:
    turned = phasors * signs[..., None]
    return symmetrical_components.components(turned[np.arange(len(turned))[:, None], order])


def _supply_problems(
    f0_hz: float, share: float, motor: Motor, duration_s: float
) -> tuple[Reason, ...]:
    if share < LINE_SHARE:
        return (reason("supply_not_found", line_hz=f0_hz, power_share=share),)
    if duration_s * f0_hz < MIN_CYCLES:
        cycles = {"cycles": duration_s * f0_hz, "needed_cycles": MIN_CYCLES}
        return (reason("too_few_cycles", duration_s=duration_s, **cycles),)
    named = motor.supply_hz
    if named and motor.supply == "grid" and not 0.92 * named < f0_hz < 1.08 * named:
        return (reason("supply_off_nameplate", f0_hz=f0_hz, supply_hz=named),)
    return ()
