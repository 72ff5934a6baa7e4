"""Results of the front end for the currents and voltages of a batch; every fault reads them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from vtox.motor.diagnosis.diagnosers.current.operation import Operation
from vtox.motor.diagnosis.diagnosers.current.signal_problems import Problems
from vtox.motor.diagnosis.dsp import slot_harmonics
from vtox.motor.values.arrays import Complex, Float64, Int
from vtox.motor.values.domain import Motor, Reason, Recording
from vtox.motor.values.terminal_power import TerminalPower


@dataclass(frozen=True, slots=True)
class CurrentAnalysis:
    """Analysis of B recordings of one shape (channels, samples, rate); arrays run over them.

    Phasors and envelopes are peak values. A result that could not be computed is an empty array,
    with the cause in `problems`.
    """

    recordings: tuple[Recording, ...]
    motors: tuple[Motor, ...]
    fs_hz: float
    samples: int
    # Measured current and voltage channels, in the order of the channel axes below. Voltages
    # between lines are here as those of three phases.
    currents: tuple[str, ...]
    voltages: tuple[str, ...]
    # Per recording, why its currents (or voltages) cannot be used at all; empty if they can.
    problems: Problems
    voltage_problems: Problems
    # Whether each machine starts, runs down, is at rest or is steady; None if not known.
    operations: tuple[Operation | None, ...]
    # Why voltages, sound by themselves, cannot be used together with the currents; else None.
    pairing_problems: tuple[Reason | None, ...]
    voltage_rotation_deg: Int  # (B,) rotation of V1 that pairs voltages and currents, degrees
    lag_rad: Float64  # (B,) angle of I1 behind V1; NaN if unknown
    f0_hz: Float64  # (B,) mean supply frequency; NaN without currents
    line_share: Float64  # (B,) share of the supply line in all power; NaN without currents
    windowed_f0_hz: Float64  # (B,) the same, weighted as a Hann window weights slot harmonics
    bars_per_pair: Float64  # (B,) rotor bars over pole pairs; NaN if unknown
    slot_band: slot_harmonics.SlotBand | None  # power of the currents around the slot harmonics
    # Current channel that is phase a, b, c, and -1 if its clamp is reversed, both (B, 3).
    order: Int
    signs: Int
    frame_t_s: Float64  # (F,) centres of the 0.2 s frames; F = 0 unless requested
    sequence_i: Complex  # (B, 3, F) sequences 0, 1, 2 of the currents; F = 0 unless three of them
    sequence_v: Complex  # (B, 3, F) of the voltages; F = 0 unless three of them
    # The same as `order` and `signs` for three voltage channels, and the sums that give power,
    # (B, sums); none unless frames were requested and at least two currents measured.
    voltage_order: Int
    voltage_signs: Int
    power_sums: Float64
    # Positive-sequence complex envelope of the currents, shifted by `centre_hz`, at `rate_hz`.
    envelope: Complex  # (B, points)
    current_rms_a: Float64  # (B,) RMS value of the fundamental current, A; NaN without currents
    envelope_v: Complex  # (B, points) of the voltages; points = 0 unless three of them
    rate_hz: float
    centre_hz: Float64  # (B,)

    @classmethod
    def empty(
        cls,
        recordings: Sequence[Recording],
        motors: Sequence[Motor],
        currents: tuple[str, ...],
        voltages: tuple[str, ...],
        problems: tuple[tuple[Reason, ...], ...],
        voltage_problems: tuple[tuple[Reason, ...], ...],
    ) -> Self:
        """Return an analysis of which only channels and problems are known."""
        first, batch = recordings[0], len(recordings)
        unknown, no_frames = np.full(batch, np.nan), np.zeros((batch, 3, 0), complex)
        no_envelope = np.zeros((batch, 0), np.complex64)
        return cls(
            recordings=tuple(recordings),
            motors=tuple(motors),
            fs_hz=first.fs_hz,
            samples=first.samples,
            currents=currents,
            voltages=voltages,
            problems=problems,
            voltage_problems=voltage_problems,
            operations=(None,) * batch,
            pairing_problems=(None,) * batch,
            voltage_rotation_deg=np.zeros(batch, int),
            lag_rad=unknown,
            f0_hz=unknown,
            line_share=unknown,
            windowed_f0_hz=unknown,
            bars_per_pair=unknown,
            slot_band=None,
            order=np.tile(np.arange(3), (batch, 1)),
            signs=np.ones((batch, 3), int),
            frame_t_s=np.zeros(0),
            sequence_i=no_frames,
            sequence_v=no_frames,
            voltage_order=np.tile(np.arange(3), (batch, 1)),
            voltage_signs=np.ones((batch, 3), int),
            power_sums=np.zeros((batch, 0)),
            envelope=no_envelope,
            current_rms_a=unknown,
            envelope_v=no_envelope,
            rate_hz=1.0,
            centre_hz=unknown,
        )

    @property
    def duration_s(self) -> float:
        """Length of every recording, s."""
        return self.samples / self.fs_hz

    @property
    def power(self) -> TerminalPower | None:
        """Power that the terminals take, None if it was not measured. Computed each time."""
        return TerminalPower.from_sums(self.power_sums) if self.power_sums.size else None

    @property
    def three_currents(self) -> bool:
        """Whether all three phase currents were measured."""
        return len(self.currents) == 3

    def phase_name(self, i: int, phase: int) -> str:
        """Return `a`, `b` or `c`, the measured channel of phase 0, 1 or 2 after ordering."""
        return str(self.currents[self.order[i, phase]])[-1]


# Fields of a `CurrentAnalysis` that all recordings of a batch share; the others run over them.
SHARED_FIELDS = ("fs_hz", "samples", "currents", "voltages", "frame_t_s", "rate_hz")


def concatenate(analyses: Sequence[CurrentAnalysis]) -> CurrentAnalysis:
    """Return the analyses of the chunks of a batch as one."""
    if len(analyses) == 1:
        return analyses[0]

    def join(name: str) -> object:
        values = [getattr(a, name) for a in analyses]
        if name == "slot_band":
            return values[0] and slot_harmonics.concatenate(values)
        return sum(values, ()) if isinstance(values[0], tuple) else np.concatenate(values)

    names = [f.name for f in fields(CurrentAnalysis) if f.name not in SHARED_FIELDS]
    return replace(analyses[0], **{name: join(name) for name in names})  # type: ignore[arg-type]


def select(analysis: CurrentAnalysis, rows: Int) -> CurrentAnalysis:
    """Return the analysis of some recordings of a batch, or of one several times."""

    def rows_of(name: str) -> object:
        x = getattr(analysis, name)
        if isinstance(x, slot_harmonics.SlotBand):
            return replace(x, power=x.power[rows], first=x.first[rows])
        if isinstance(x, tuple):
            return tuple(x[i] for i in rows)
        return x if x is None else x[rows]

    names = [f.name for f in fields(CurrentAnalysis) if f.name not in SHARED_FIELDS]
    return replace(analysis, **{name: rows_of(name) for name in names})  # type: ignore[arg-type]
