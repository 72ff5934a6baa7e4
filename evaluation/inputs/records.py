"""Mistakes of whole records: rates, lengths, order of samples, and machines that do not run."""

from dataclasses import replace
from typing import Any

import numpy as np

from evaluation.inputs.mistake import (
    Mistake,
    RawInput,
    mistake,
    on,
    sent,
    whole,
)
from vtox.motor.values.domain import CURRENTS, VOLTAGES

FS_HZ = 10_000.0
OFF_RATE = "supply_off_nameplate supply_not_found"
FEW = "too_few_samples record_too_short too_few_cycles"


def _cut(seconds: float) -> Any:
    return lambda x: x[: round(seconds * FS_HZ)]


def _interleaved(names: tuple[str, ...]) -> Any:
    """Return channels that were written sample by sample and read one after the other."""

    def change(raw: RawInput, rng: np.random.Generator) -> RawInput:
        stream = np.stack([raw.channels[n] for n in names]).T.ravel()
        parts = dict(zip(names, np.split(stream, len(names)), strict=True))
        return replace(raw, channels={**raw.channels, **parts})

    return change


def _mixed(raw: RawInput, rng: np.random.Generator) -> RawInput:
    """Return ia and ib that alternate in one channel and the other."""
    ia, ib = raw.channels["ia"].copy(), raw.channels["ib"].copy()
    ia[::2], ib[::2] = raw.channels["ib"][::2], raw.channels["ia"][::2]
    return replace(raw, channels={**raw.channels, "ia": ia, "ib": ib})


def _shifted(name: str, samples: int) -> Any:
    return on(name, by=lambda x, rng: np.roll(x, samples))


def _pairs_swapped(x: Any) -> Any:
    return x.reshape(-1, 2)[:, ::-1].ravel()


def _blocks(order: str) -> Any:
    """Return windows of a second that were sent in another order, twice, or not at all."""

    def by(x: Any) -> Any:
        parts = np.split(x, 10)
        return np.concatenate([parts[int(k)] for k in order])

    return by


def _off_after(share: float) -> Any:
    def by(x: Any, rng: np.random.Generator) -> Any:
        y = x.copy()
        at = round(share * len(x))
        y[at:] = 1e-4 * np.abs(x).max() * rng.standard_normal(len(x) - at)
        return y

    return by


def _starting(x: Any, rng: np.random.Generator) -> Any:
    """Return six times the current that decays over the first two seconds."""
    t = np.arange(len(x)) / FS_HZ
    return (x * (1 + 5 * np.exp(-((t / 1.5) ** 4)))).astype(np.float32)


def _single_phasing(raw: RawInput, rng: np.random.Generator) -> RawInput:
    ib = raw.channels["ib"] * np.float32(1.7)
    ia = (1e-4 * np.abs(ib).max() * rng.standard_normal(len(ib))).astype(np.float32)
    return replace(raw, channels={**raw.channels, "ia": ia, "ib": ib, "ic": -ib})


def _jitter(x: Any) -> Any:
    """Return samples at times that err by a tenth of a period of the supply, slowly."""
    n = np.arange(len(x))
    return np.interp(n + 20 * np.sin(2 * np.pi * n / 30_000), n, x).astype(np.float32)


RATES: tuple[Mistake, ...] = (
    *(
        mistake(f"rate claimed times {k:g}", whole(lambda x: x, fs=k), currents=OFF_RATE)
        for k in (2.0, 0.5, 1.2, 10.0, 0.1, 4.41)
    ),
    mistake("rate claimed times 1.01", whole(lambda x: x, fs=1.01)),
    mistake("rate claimed times 1.001", whole(lambda x: x, fs=1.001)),
    mistake("every hundredth sample", whole(lambda x: x[::100], fs=0.01), currents="rate_too_low"),
    mistake(
        "300 Hz",
        whole(lambda x: x[::33], fs=1 / 33),
        currents="rate_too_low",
        bearing="vibration_rate_too_low",
    ),
    mistake("1 kHz without a filter", whole(lambda x: x[::10], fs=0.1)),
    mistake("rate of 0.5 Hz", sent(fs_hz=0.5), currents="impossible_rate rate_too_low"),
    mistake("rate of 20 MHz", sent(fs_hz=2e7), currents="impossible_rate"),
    mistake("rate of zero", sent(fs_hz=0.0), refused="RecordingError"),
    mistake("negative rate", sent(fs_hz=-1e4), refused="RecordingError"),
    mistake("rate NaN", sent(fs_hz=float("nan")), refused="RecordingError"),
    mistake("rate as text", sent(fs_hz="10 kHz"), refused="RecordingError"),
    mistake("rate that moves", whole(_jitter)),
)
LENGTHS: tuple[Mistake, ...] = (
    mistake("no sample", whole(lambda x: x[:0]), currents=FEW, bearing=FEW),
    mistake("one sample", whole(lambda x: x[:1]), currents=FEW, bearing=FEW),
    mistake("50 samples", whole(lambda x: x[:50]), currents=FEW, bearing=FEW),
    mistake("20 ms", whole(_cut(0.02)), currents=FEW, bearing="too_few_turns"),
    mistake("100 ms", whole(_cut(0.1)), currents=FEW, bearing="too_few_turns"),
    mistake(
        "0.5 s",
        whole(_cut(0.5)),
        broken_bar="record_too_short_for_slip",
        bearing="too_few_turns no_defect_comb weak_defect_lines",
    ),
    mistake("2 s", whole(_cut(2.0)), broken_bar="record_too_short_for_slip"),
    mistake(
        "ia shorter than the others", on("ia", by=lambda x, rng: x[:-5]), refused="RecordingError"
    ),
    mistake(
        "two dimensions", on("ia", by=lambda x, rng: x.reshape(2, -1)), refused="RecordingError"
    ),
    mistake("text", on("ia", by=lambda x, rng: np.array(["1"] * len(x))), refused="RecordingError"),
    mistake(
        "complex numbers", on("ia", by=lambda x, rng: x.astype(complex)), refused="RecordingError"
    ),
    mistake(
        "whole numbers of counts",
        on(*CURRENTS, by=lambda x, rng: np.rint(x * 1e3).astype(np.int32)),
        currents="current_far_above_rated",
    ),
)
ORDER: tuple[Mistake, ...] = (
    mistake("currents interleaved", _interleaved(CURRENTS), currents=OFF_RATE),
    mistake("voltages interleaved", _interleaved(VOLTAGES)),
    mistake(
        "ia and ib interleaved",
        _interleaved(("ia", "ib")),
        currents=f"{OFF_RATE} currents_do_not_sum_to_zero",
    ),
    mistake("ia and ib alternate", _mixed),
    mistake("neighbours exchanged", whole(_pairs_swapped)),
    mistake("time reversed", whole(lambda x: x[::-1])),
    mistake("a second missing", whole(lambda x: np.delete(x, slice(43_210, 53_333)))),
    mistake("a second twice", whole(_blocks("01233456789"))),
    mistake("seconds in another order", whole(_blocks("0214356879"))),
    mistake("one second ten times", whole(_blocks("4444444444"))),
    mistake(
        "ia 5 ms late",
        _shifted("ia", 50),
        turn_short="clamp_changed currents_do_not_sum_to_zero phase_open",
    ),
    mistake(
        "ia 1 ms late", _shifted("ia", 10), turn_short="clamp_changed currents_do_not_sum_to_zero"
    ),
    mistake("ia a second late", _shifted("ia", 10_000)),
)
STATES: tuple[Mistake, ...] = (
    mistake(
        "switched off in the record",
        on(*CURRENTS, by=_off_after(0.5)),
        currents="motor_runs_down",
    ),
    mistake(
        "off but for the first second",
        on(*CURRENTS, by=_off_after(0.1)),
        currents="motor_runs_down",
    ),
    mistake(
        "starts in the record",
        on(*CURRENTS, by=_starting),
        currents="motor_starts motor_start_under_way",
    ),
    mistake("one phase open", _single_phasing, turn_short="phase_open"),
    mistake(
        "overload of 170 %",
        on(*CURRENTS, by=lambda x, rng: x * np.float32(3.2)),
        currents="current_far_above_rated",
    ),
)
RECORDS = (*RATES, *LENGTHS, *ORDER, *STATES)
