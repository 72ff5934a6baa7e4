"""Mistakes of one channel: sensors, cables, converters and loggers. Expectations come first."""

from collections.abc import Callable
from typing import Any

import numpy as np

from evaluation.inputs.mistake import Mistake, mistake, on

Samples = np.typing.NDArray[np.float32]
By = Callable[[Any, np.random.Generator], Any]


def scaled(factor: float) -> By:
    """Return the scaling by a factor."""
    return lambda x, rng: x * np.float32(factor)


def coarse(bits: int) -> By:
    """Return a converter of this many bits; the signal fills 80 % of its range."""

    def by(x: Samples, rng: np.random.Generator) -> Samples:
        step = np.abs(x).max() / 0.8 / 2 ** (bits - 1)
        return np.asarray(np.rint(x / step) * step, np.float32)

    return by


def stuck_bit(bit: int, value: int, bits: int = 12) -> By:
    """Return a converter of which one bit is always 0 or 1."""

    def by(x: Samples, rng: np.random.Generator) -> Samples:
        step = np.abs(x).max() / 0.8 / 2 ** (bits - 1)
        counts = np.rint(x / step).astype(np.int64) + 2 ** (bits - 1)
        counts = counts | (1 << bit) if value else counts & ~(1 << bit)
        return np.asarray((counts - 2 ** (bits - 1)) * step, np.float32)

    return by


def clipped(high: float, low: float | None = None) -> By:
    """Return clipping at these shares of the largest value, of the smallest if it differs."""

    def by(x: Samples, rng: np.random.Generator) -> Samples:
        return np.clip(x, (-high if low is None else -low) * np.abs(x).max(), high * x.max())

    return by


def held(seconds: float, every_s: float, fs_hz: float = 10_000.0) -> By:
    """Return a logger that holds a value for `seconds` in every `every_s`."""

    def by(x: Samples, rng: np.random.Generator) -> Samples:
        y, size = x.copy(), round(seconds * fs_hz)
        for start in range(round(0.37 * every_s * fs_hz), len(x) - size, round(every_s * fs_hz)):
            y[start : start + size] = y[start]
        return y

    return by


def repeated(times: int) -> By:
    """Return a logger that writes every value this many times, and so is slower than it claims."""
    return lambda x, rng: np.repeat(x[::times], times)[: len(x)]


def gaps(value: float, share: float, run: int) -> By:
    """Return samples replaced by a value in runs, together a share of all."""

    def by(x: Samples, rng: np.random.Generator) -> Samples:
        y = x.copy()
        for start in rng.integers(0, len(x) - run, max(1, round(share * len(x) / run))):
            y[start : start + run] = value
        return y

    return by


def last_part(value: float, share: float) -> By:
    """Return a record whose last part is one value."""

    def by(x: Samples, rng: np.random.Generator) -> Samples:
        y = x.copy()
        y[round((1 - share) * len(x)) :] = value
        return y

    return by


# Changes after which a channel is no measurement, and their codes.
NO_MEASUREMENT: tuple[tuple[str, By, str], ...] = (
    ("one sample is NaN", gaps(np.nan, 0, 1), "samples_missing"),
    ("1 % NaN in runs of 50", gaps(np.nan, 0.01, 50), "samples_missing"),
    ("all NaN", scaled(np.nan), "samples_missing"),
    ("one sample is infinite", gaps(np.inf, 0, 1), "samples_missing"),
    ("values of 1e12", scaled(1e12), "impossible_values"),
    ("all zero", scaled(0), "samples_constant"),
    ("every value ten times", repeated(10), "samples_stuck"),
    ("every value 45 times", repeated(45), "samples_stuck"),
    ("30 ms held each second", held(0.03, 1.0), "samples_repeat"),
    ("once 100 ms held", held(0.1, 8.0), "samples_repeat"),
    ("the last 60 % rest", last_part(0.0, 0.6), "samples_rest samples_repeat"),
    ("clipped at 60 %", clipped(0.6), "clipped"),
)
# The channel that represents its kind, and the faults that need it.
CHANNEL_FAULTS = {
    "ib": ("currents",),
    "vc": ("insulation", "turn_short"),
    "leakage": ("insulation",),
    "vibration": ("bearing",),
}


def _no_measurement() -> tuple[Mistake, ...]:
    return tuple(
        mistake(f"{channel}: {name}", on(channel, by=by), **dict.fromkeys(faults, code))
        for channel, faults in CHANNEL_FAULTS.items()
        for name, by, code in NO_MEASUREMENT
        # Clipped vibration keeps its lines and its impacts: it may be diagnosed.
        if (channel, code) != ("vibration", "clipped")
    )


SAMPLES: tuple[Mistake, ...] = (
    *_no_measurement(),
    mistake("ia: 20 ms held each second", on("ia", by=held(0.02, 1.0)), currents="samples_repeat"),
    mistake(
        "ia: zero for 30 ms at times", on("ia", by=gaps(0.0, 0.03, 300)), currents="samples_repeat"
    ),
    mistake("ia: clipped above only", on("ia", by=clipped(0.75, 2.0)), currents="clipped"),
    mistake("currents clipped at 90 %", on("ia", "ib", "ic", by=clipped(0.9)), currents="clipped"),
    mistake("voltages clipped", on("va", "vb", "vc", by=clipped(0.8)), insulation="clipped"),
    *(
        mistake(f"currents: converter of {bits} bits", on("ia", "ib", "ic", by=coarse(bits)))
        for bits in (4, 5, 6, 7, 8)
    ),
    mistake("ib: converter of 6 bits", on("ib", by=coarse(6))),
    mistake("voltages: converter of 6 bits", on("va", "vb", "vc", by=coarse(6))),
    mistake("leakage: converter of 4 bits", on("leakage", by=coarse(4))),
    mistake("vibration: converter of 4 bits", on("vibration", by=coarse(4))),
    *(
        mistake(f"ia: bit {bit} always {value}", on("ia", by=stuck_bit(bit, value)))
        for bit, value in ((0, 0), (3, 1), (5, 0), (7, 1), (9, 0))
    ),
    mistake("va: bit 8 always 1", on("va", by=stuck_bit(8, 1))),
    mistake("vibration: bit 7 always 0", on("vibration", by=stuck_bit(7, 0))),
    mistake("leakage: bit 6 always 1", on("leakage", by=stuck_bit(6, 1))),
    mistake("ia: spikes in 0.1 % of samples", on("ia", by=gaps(200.0, 0.001, 1))),
    mistake("vibration: spikes in 0.02 %", on("vibration", by=gaps(80.0, 0.0002, 1))),
)
