"""The common form of every format: columns of one length with their facts, read on demand.

A module per format opens a file as tables; `vtox.motor.files.matching` decides the meaning of the
columns.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vtox.motor.errors import FileError

Samples = npt.NDArray[np.float64] | npt.NDArray[np.float32]
# How sure an assumption is: the user or the file says so in so many words; a word or a value is
# understood; or the most frequent meaning is taken.
Certainty = Literal["stated", "likely", "guess"]

# Largest file, and largest archive unpacked, which may claim any size.
MAX_BYTES = 1 << 30
# Most values read from one file, 1 GiB as doubles: an hour of three channels at 10 kHz.
MAX_VALUES = 1 << 27


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; `unit` and `quantity` if the format has fields for them.

    `quantity` is a channel, or one of `vtox.motor.files.channel_names.BESIDE`.
    """

    name: str
    unit: str = ""
    quantity: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """A fact about a file, how sure it is, and its source."""

    topic: str
    value: str
    certainty: Certainty
    source: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """A sampling rate, how sure it is, its source, and the evidence against it."""

    fs_hz: float
    certainty: Certainty
    source: str
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns of one length in a file, before their samples are read.

    Attributes
    ----------
    load : callable
        Returns the columns named as arrays, shape (samples,).
    name : str
        Name of the table, if a file holds several.
    scalars : Mapping
        Single numbers in addition to the columns.
    fs_hz : float, optional
        The rate, if the format has a field for it or the text above the columns states it;
        `rate_source` is the place of it, `rate_certainty` how sure it is.
    started : str
        When the first sample was taken, ISO 8601, empty if the file does not say.
    doubts : Mapping
        Code of a doubt -> its subject, as `vtox inspect` shows them.
    on_request : bool
        Read only if it is chosen by its name: sheets of a workbook after the first.
    """

    path: Path
    columns: tuple[Column, ...]
    load: Callable[[Sequence[str]], dict[str, Samples]]
    name: str = ""
    scalars: Mapping[str, float] = field(default_factory=dict)
    fs_hz: float | None = None
    rate_source: str = ""
    rate_certainty: Certainty = "stated"
    started: str = ""
    remarks: tuple[Remark, ...] = ()
    doubts: Mapping[str, str] = field(default_factory=dict)
    on_request: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in file order."""
        return tuple(c.name for c in self.columns)

    def with_facts(self, **facts: Any) -> "Table":
        """Return the table with other facts; remarks and doubts are added to those it has."""
        facts["remarks"] = (*self.remarks, *facts.get("remarks", ()))
        facts["doubts"] = {**self.doubts, **facts.get("doubts", {})}
        return replace(self, **facts)

    def samples(self, names: Sequence[str]) -> dict[str, Samples]:
        """Return the columns `names`, every value finite and all of one length.

        Raises `FileError`: a value is no finite number, or the columns differ in length.
        """
        columns = self.load(list(dict.fromkeys(names)))
        lengths = {n: len(x) for n, x in columns.items()}
        if len(set(lengths.values())) > 1:
            raise FileError(
                "unequal_lengths",
                self.path,
                f"columns differ in length, expected one: {lengths}",
            )
        for name, x in columns.items():
            if not len(x):
                raise FileError("no_samples", self.path, f"column {name!r}: no samples")
            finite = np.isfinite(x)
            if not finite.all():
                where = int(np.flatnonzero(~finite)[0])
                raise FileError(
                    "not_finite",
                    self.path,
                    f"column {name!r}, sample {where + 1}: {x[where]}, expected a finite number "
                    f"({int((~finite).sum())} of {len(x)} are none)",
                    channel=name,
                )
        return columns


def check_values(path: Path, count: int) -> None:
    """Make sure that so many values may be read.

    Raises `FileError`: they are more than `MAX_VALUES`.
    """
    if count > MAX_VALUES:
        raise FileError(
            "too_large",
            path,
            f"{count} values, expected at most {MAX_VALUES}",
            remedy="cut it into shorter recordings",
        )


def as_floats(path: Path, name: str, x: npt.NDArray[Any]) -> Samples:
    """Return real numbers as floats, and times as seconds after the first, shape (samples,).

    Raises `FileError`: they are text, complex numbers or Python objects.
    """
    if x.dtype in (np.float32, np.float64):
        return x
    if x.dtype.kind == "M":
        nanoseconds = (x - x[:1]).astype("timedelta64[ns]").astype(np.int64)
        return np.asarray(nanoseconds / 1e9, dtype=np.float64)
    if x.dtype.kind not in "biuf":
        raise FileError(
            "not_a_number", path, f"column {name!r}: {x.dtype}, expected numbers", channel=name
        )
    return x.astype(np.float64)


def shortened(names: Sequence[str], most: int = 10) -> str:
    """Return names in one line; of more than `most` the first ones, and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
