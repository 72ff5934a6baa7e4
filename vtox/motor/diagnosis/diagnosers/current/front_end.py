"""The analysis of currents and voltages that all faults share, done once for a batch of one shape.

Signal quality, supply frequency, wiring, sequence phasors in frames, and the complex envelope of
the supply line. Every diagnoser takes the `CurrentAnalysis` and decides.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vtox.motor.diagnosis.diagnosers.current import plausibility
from vtox.motor.diagnosis.diagnosers.current.channel_phasors import (
    positive_sequence,
    rms,
    sequences,
    supply_levels,
    weights_of_supply,
)
from vtox.motor.diagnosis.diagnosers.current.current_analysis import (
    CurrentAnalysis,
    concatenate,
)
from vtox.motor.diagnosis.diagnosers.current.operating_problems import operating_problems
from vtox.motor.diagnosis.diagnosers.current.operation import Operation, suspects
from vtox.motor.diagnosis.diagnosers.current.phase_pairing import match_voltages_to_currents
from vtox.motor.diagnosis.diagnosers.current.pole_pairs import LARGEST_SLIP, bars_per_pair
from vtox.motor.diagnosis.diagnosers.current.signal_problems import (
    SupplyLine,
    current_problem,
    discontinuity_problem,
    long_enough,
    loss_problem,
    made_finite,
    sample_problems,
)
from vtox.motor.diagnosis.diagnosers.current.terminal_voltages import (
    are_line_voltages,
    phase_voltages,
    sum_problem,
    voltage_channels,
)
from vtox.motor.diagnosis.dsp import (
    demodulation,
    lost_samples,
    partial_fft,
    power,
    slot_harmonics,
    supply_line,
    symmetrical_components,
)
from vtox.motor.diagnosis.dsp.partial_fft import Spectra
from vtox.motor.values.arrays import Bool, Complex, Float64, stacked
from vtox.motor.values.domain import (
    CURRENTS,
    LINE_VOLTAGES,
    VOLTAGES,
    Motor,
    Reason,
    Recording,
    reason,
)

# Samples of a chunk, about, and its least number of recordings: small enough for the cache, large
# enough for the fixed cost of a call. docs/calibration/front_end.md#chunks
CHUNK_SAMPLES = 2_000_000
CHUNK_MIN_RECORDINGS = 5
# The supply line is searched below the first and below a third of the sampling rate. The band
# around it ends below the second; slot harmonics of usual rotors lie below the third.
HIGHEST_SUPPLY_HZ = 450.0
HIGHEST_LINE_HZ = 600.0
HIGHEST_SLOT_HZ = 3000.0


def front_end(
    recordings: Sequence[Recording],
    motors: Sequence[Motor],
    *,
    frames: bool = True,
    slot_band: bool = True,
) -> CurrentAnalysis:
    """Return the shared analysis of recordings that agree in channels, samples and rate.

    Parameters
    ----------
    recordings : sequence of Recording, length B
    motors : sequence of Motor, length B
    frames, slot_band : bool
        Compute frame phasors and spectra of slot harmonics only if requested.
    """
    first = recordings[0]
    channels = sum(c in first.channels for c in (*CURRENTS, *VOLTAGES, *LINE_VOLTAGES))
    size = max(CHUNK_MIN_RECORDINGS, CHUNK_SAMPLES // max(1, channels * first.samples))
    return _with_operations(
        concatenate(
            [
                _analyse_chunk(
                    recordings[b : b + size],
                    motors[b : b + size],
                    frames=frames,
                    slot_band=slot_band,
                )
                for b in range(0, len(recordings), size)
            ]
        )
    )


def _analyse_chunk(
    recordings: Sequence[Recording], motors: Sequence[Motor], *, frames: bool, slot_band: bool
) -> CurrentAnalysis:
    """Return the analysis of a chunk of a batch, as `front_end` of the whole."""
    first, fs_hz = recordings[0], recordings[0].fs_hz
    currents = tuple(c for c in CURRENTS if c in first.channels)
    voltages = voltage_channels(first.channels)
    n, names = len(currents), currents + voltages
    x = stacked([[r.channels[n] for n in names] for r in recordings], first.samples)
    problems, voltage_problems = sample_problems(x, currents, voltages, fs_hz)
    if of_lines := are_line_voltages(voltages):
        voltage_problems = tuple(
            p or _as_tuple(sum_problem(own[n:], voltages))
            for p, own in zip(voltage_problems, x, strict=True)
        )
        x = np.concatenate([x[:, :n], phase_voltages(x[:, n:], voltages)], axis=1)
        voltages = VOLTAGES
    if not n:
        problems = ((reason("no_current"),),) * len(x)
    analysis = CurrentAnalysis.empty(
        recordings, motors, currents, voltages, problems, voltage_problems
    )
    if not (n and long_enough(analysis.samples, fs_hz)):
        return analysis
    sound = np.array([not (i or v) for i, v in zip(problems, voltage_problems, strict=True)])
    x = made_finite(x, ~sound)

    # The supply line, and the currents around it.
    spectra = partial_fft.spectra(x)
    df_hz = fs_hz / spectra.samples
    low = spectra.low(min(spectra.bins, 1 + int(HIGHEST_LINE_HZ / df_hz)))
    line, share = supply_line.line_bin(low[:, :n], df_hz, min(fs_hz / 3, HIGHEST_SUPPLY_HZ))
    centre_hz = np.asarray(line * df_hz, np.float64)
    at_line = low[np.arange(len(x)), :, line]
    signs, order, weights = positive_sequence(at_line[:, :n])
    weights = weights_of_supply(weights, at_line[:, :n])
    envelope, rate_hz = demodulation.around_line(low[:, :n], weights, line, spectra.samples, fs_hz)
    f0_hz, windowed_f0_hz = supply_line.frequencies_hz(envelope, rate_hz, centre_hz)
    losses = lost_samples.loss_interval(x[:, :n], f0_hz, fs_hz).tolist()
    bars = _visible_bars(recordings, motors, f0_hz, fs_hz)
    rms_a = rms(envelope)
    levels = supply_levels(at_line[:, :n], weights, order, signs, rms_a)
    off_s = plausibility.off_s(envelope, rate_hz)
    lines = [
        SupplyLine(*each)
        for each in zip(
            f0_hz.tolist(), share.tolist(), off_s.tolist(), levels, low[:, :n], line, strict=True
        )
    ]
    frame_t_s, phasors = analysis.frame_t_s, np.zeros((*x.shape[:2], 0), complex)
    if frames:
        frame_t_s, phasors = supply_line.frame_phasors(x, fs_hz, f0_hz)
    analysis = replace(
        analysis,
        problems=tuple(
            p
            or _as_tuple(loss_problem(losses[b]))
            or _as_tuple(current_problem(currents, lines[b], motors[b], analysis.duration_s))
            for b, p in enumerate(problems)
        ),
        f0_hz=f0_hz,
        operations=(Operation(),) * len(x),
        line_share=share,
        windowed_f0_hz=windowed_f0_hz,
        bars_per_pair=bars,
        slot_band=_slot_band(spectra, n, df_hz, f0_hz, bars) if slot_band else None,
        order=order,
        signs=signs,
        frame_t_s=frame_t_s,
        sequence_i=sequences(phasors[:, :n], order, signs) if n == 3 else analysis.sequence_i,
        envelope=envelope,
        current_rms_a=rms_a,
        envelope_v=envelope[:, :0],
        rate_hz=rate_hz,
        centre_hz=centre_hz,
    )
    analysis = replace(analysis, power_sums=_power_sums(analysis, phasors, spectra))
    if len(voltages) < 3:
        return analysis
    signs, order, weights = positive_sequence(at_line[:, n:])
    envelope_v, _ = demodulation.around_line(low[:, n:], weights, line, spectra.samples, fs_hz)
    sequence_v = sequences(phasors[:, n:], order, signs)
    levels = supply_levels(at_line[:, n:], weights, order, signs, rms(envelope_v))
    voltage_problems = tuple(
        p or _as_tuple(plausibility.voltage_problem(voltages, levels[b], motors[b], lines=of_lines))
        for b, p in enumerate(voltage_problems)
    )
    jumps = supply_line.largest_phase_jump(envelope_v, rate_hz).tolist()
    analysis = replace(
        analysis,
        voltage_order=order,
        voltage_signs=signs,
        voltage_problems=voltage_problems,
        problems=tuple(
            p or (() if v else _as_tuple(discontinuity_problem(jump)))
            for p, v, jump in zip(analysis.problems, voltage_problems, jumps, strict=True)
        ),
    )
    return _with_voltages(analysis, envelope_v, sequence_v, sound)


def _power_sums(analysis: CurrentAnalysis, phasors: Complex, spectra: Spectra) -> Float64:
    """Return the sums of power, from frame phasors and spectra of the measured channels.

    Channels are put in order but not turned, and each pair keeps its names: wrong wiring shows in
    `order` and `signs`, and is refused there.
    """
    n = len(analysis.currents)
    if n < 2 or not phasors.shape[-1]:
        return analysis.power_sums
    harmonics, order = (
        power.harmonic_phasors(spectra, analysis.f0_hz, analysis.fs_hz),
        analysis.order,
    )
    voltages = len(analysis.voltages) == 3
    used = n + 3 * voltages
    if used < phasors.shape[1]:
        phasors, harmonics = phasors[:, :used], harmonics[:, :used]
    if n == 2:
        known = tuple(map(CURRENTS.index, analysis.currents))
        whole = power.completed(phasors[:, :n], known)
        _, order = symmetrical_components.wiring(whole.mean(axis=-1))
        phasors = np.concatenate([whole, phasors[:, n:]], axis=1)
        whole = power.completed(harmonics[:, :n], known)
        harmonics = np.concatenate([whole, harmonics[:, n:]], axis=1)
    if (order[:, 1] != 1).any():
        if voltages:
            order = np.concatenate([order, 3 + order], axis=1)
        rows = np.arange(len(order))[:, None]
        phasors, harmonics = phasors[rows, order], harmonics[rows, order]
    return power.power_sums(phasors, harmonics)


def _with_operations(analysis: CurrentAnalysis) -> CurrentAnalysis:
    """Return the analysis with the operation of each machine; only steady ones are diagnosed."""
    if not analysis.envelope.shape[-1]:
        return analysis
    ratio = plausibility.level_ratio(analysis.envelope, analysis.rate_hz)
    rows = suspects(ratio, analysis.line_share, analysis.problems)
    if not rows:
        return analysis
    operations, problems = operating_problems(
        analysis.recordings,
        analysis.motors,
        analysis.problems,
        rows,
        line_share=analysis.line_share,
        envelope=analysis.envelope,
        envelope_v=analysis.envelope_v,
        rate_hz=analysis.rate_hz,
        centre_hz=analysis.centre_hz,
    )
    return replace(analysis, operations=operations, problems=problems)


def _as_tuple(problem: Reason | None) -> tuple[Reason, ...]:
    return (problem,) if problem else ()


def _visible_bars(
    recordings: Sequence[Recording], motors: Sequence[Motor], f0_hz: Float64, fs_hz: float
) -> Float64:
    """Return the bars per pole pair, NaN if the recording cannot show their slot harmonics.

    The two adjacent to f R/p are the strong ones. Above half the sampling rate only their images
    are seen, which pass for other orders at a wrong slip.
    """
    bars = np.array(list(map(bars_per_pair, motors, recordings, f0_hz)))
    lowest_hz = f0_hz * (bars * (1 - LARGEST_SLIP) + slot_harmonics.ORDERS[0])
    visible = (f0_hz * (bars + 1) < fs_hz / 2) & (lowest_hz < HIGHEST_SLOT_HZ)
    return np.where(visible, bars, np.nan)


def _slot_band(
    spectra: Spectra, currents: int, df_hz: float, f0_hz: Float64, bars: Float64
) -> slot_harmonics.SlotBand:
    """Return the stretch of the currents' spectra in which slot harmonics may lie."""
    bins = min(spectra.bins, 1 + int(HIGHEST_SLOT_HZ / df_hz))
    first, width = slot_harmonics.reach(f0_hz, bars, LARGEST_SLIP, df_hz, bins)
    parts = replace(spectra, parts=spectra.parts[:, :currents])
    return slot_harmonics.band(parts.at(first, width), first, bins, df_hz)


def _with_voltages(
    analysis: CurrentAnalysis, envelope_v: Complex, sequence_v: Complex, sound: Bool
) -> CurrentAnalysis:
    """Return the analysis with three voltages, rotated to the currents if those are three too.

    `sound`, shape (batch,), says which recordings have no problem with any of their samples: for
    the others a problem of pairing is not reported.
    """
    if not (analysis.three_currents and analysis.envelope.shape[-1]):
        return replace(analysis, envelope_v=envelope_v, sequence_v=sequence_v)
    matching = match_voltages_to_currents(
        analysis.envelope, envelope_v, analysis.f0_hz, analysis.motors
    )
    v1, rotation_deg = matching.voltage_rotation, analysis.voltage_rotation_deg
    if (v1 != 1).any():
        rotation_deg = np.round(np.degrees(np.angle(v1))).astype(int)
        sequence_v = sequence_v * np.stack([np.ones_like(v1), v1, v1.conj()], axis=-1)[:, :, None]
        envelope_v = envelope_v * v1[:, None].astype(envelope_v.dtype)
    return replace(
        analysis,
        pairing_problems=tuple(
            p if s else None for p, s in zip(matching.problems, sound, strict=True)
        ),
        voltage_rotation_deg=rotation_deg,
        lag_rad=np.where(sound, matching.lag_rad, np.nan),
        sequence_v=sequence_v,
        envelope_v=envelope_v,
    )
