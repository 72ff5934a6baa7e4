"""A mistake: a change to the input of a sound machine, and the codes that must result.

The expectations were written down before any diagnoser saw the cases. One is changed only with a
reason, given in `docs/calibration/broken_input.md`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from vtox.motor.values.domain import CURRENTS, VOLTAGES, Motor, Recording

# Faults that are diagnosed from the currents.
FROM_CURRENTS = ("turn_short", "eccentricity", "broken_bar")
# In place of a fault: the input itself is refused, by an error of this name.
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RawInput:
    """The unchecked input of a user: a recording and a nameplate by their fields."""

    channels: Mapping[str, Any]
    fs_hz: Any
    speed_rpm: Any
    motor: Mapping[str, Any]
    temperature_c: Any = 40.0

    def recording(self) -> Recording:
        """Return the recording; an `InputError` where it is impossible."""
        return Recording(dict(self.channels), self.fs_hz, self.speed_rpm, self.temperature_c)

    def nameplate(self) -> Motor:
        """Return the nameplate; an `InputError` where it is impossible."""
        return Motor(**self.motor)


Change = Callable[[RawInput, np.random.Generator], RawInput]
Expected = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One kind of broken input. `expected` maps a fault to its codes, any of which is right.

    A code may be that of the diagnosis or of a doubt. A fault that is not named must only not
    alarm.
    """

    name: str
    change: Change
    expected: Expected = field(default_factory=dict)


def mistake(name: str, change: Change, **expected: str) -> Mistake:
    """Return a mistake; codes are separated by spaces, `currents` means all current faults."""
    codes: dict[str, frozenset[str]] = {}
    for fault, words in expected.items():
        for each in FROM_CURRENTS if fault == "currents" else (fault,):
            codes[each] = frozenset(words.split())
    return Mistake(name, change, codes)


def on(*names: str, by: Callable[[Any, np.random.Generator], Any]) -> Change:
    """Return the change of these channels by a function of samples and generator."""

    def change(raw: RawInput, rng: np.random.Generator) -> RawInput:
        return replace(
            raw, channels={**raw.channels, **{n: by(raw.channels[n], rng) for n in names}}
        )

    return change


def moved(**source: str) -> Change:
    """Return the change that puts into a channel the samples of another one."""

    def change(raw: RawInput, rng: np.random.Generator) -> RawInput:
        return replace(
            raw, channels={**raw.channels, **{n: raw.channels[s] for n, s in source.items()}}
        )

    return change


def without(*names: str) -> Change:
    """Return the change that leaves channels out."""

    def change(raw: RawInput, rng: np.random.Generator) -> RawInput:
        return replace(raw, channels={n: x for n, x in raw.channels.items() if n not in names})

    return change


def sent(**values: Any) -> Change:
    """Return the change of other fields of the recording: `fs_hz`, `speed_rpm`, `temperature_c`."""
    return lambda raw, rng: replace(raw, **values)


def plate(**values: Any) -> Change:
    """Return the change of fields of the nameplate; a function is one of the field's value."""

    def change(raw: RawInput, rng: np.random.Generator) -> RawInput:
        new = {n: v(raw.motor[n]) if callable(v) else v for n, v in values.items()}
        return replace(raw, motor={**raw.motor, **new})

    return change


def whole(by: Callable[[Any], Any], fs: float = 1.0) -> Change:
    """Return the change of all channels alike; the rate that is claimed changes by `fs`."""

    def change(raw: RawInput, rng: np.random.Generator) -> RawInput:
        channels = {n: by(x) for n, x in raw.channels.items()}
        return replace(raw, channels=channels, fs_hz=raw.fs_hz * fs)

    return change


ALL_CHANNELS = (*CURRENTS, *VOLTAGES, "leakage", "vibration")
