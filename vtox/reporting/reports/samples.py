"""Samples as text in a report, and back, bit for bit; whole numbers if they came as such.

Channels of windows came as 16-bit counts with a scale for each window, columns of files mostly as
decimals. Both take less room as whole numbers, and give the same floats again.
"""

import base64
import binascii
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vtox.motor.values.domain import Array
from vtox.reporting.reports.errors import ReportError

# Largest samples of one report when unpacked: a bound for files that claim any size.
MAX_BYTES = 256 << 20
# Columns of text have few decimals; with more, floats are shorter.
MAX_DECIMALS = 9
KINDS: Mapping[str, np.dtype[Any]] = {
    name: np.dtype(f"<{name}") for name in ("i2", "i4", "f4", "f8")
}
# Zeros and ones in turn cost nothing; a faster level makes files a tenth larger.
LEVEL = 6


@dataclass(frozen=True, slots=True)
class Packed:
    """The samples of one channel, not compressed yet.

    `kind` f4 and f8 are the floats themselves. Whole numbers with `scales` (samples, scale) are
    counts times scale in single precision, as `vtox.pipeline.windows.wire` decodes them. With
    `decimals` they are numbers over a power of ten in double precision, as a file is read.
    """

    kind: str
    raw: bytes
    scales: tuple[tuple[int, float], ...] = ()
    decimals: int | None = None

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.raw) // KINDS[self.kind].itemsize


def pack(x: Array) -> Packed:
    """Return samples of floats, as whole numbers if those give every bit of them again.

    Parameters
    ----------
    x : ndarray, shape (samples,)
        float32 or float64.
    """
    if x.dtype == np.float32:
        return Packed("f4", x.astype("<f4").tobytes())
    for decimals in _decimals(x):
        numbers = np.rint(x * 10.0**decimals)
        largest = float(np.abs(numbers).max(initial=0.0))
        kind = "i2" if largest < 2**15 else "i4"
        if largest < 2**31:
            packed = Packed(kind, numbers.astype(KINDS[kind]).tobytes(), decimals=decimals)
            if np.array_equal(_bits(unpack(packed)), _bits(x)):
                return packed
    return Packed("f8", x.astype("<f8").tobytes())


def pack_counts(windows: Sequence[tuple[bytes, float]]) -> Packed:
    """Return the 16-bit counts of consecutive windows, each with the scale to its unit."""
    scales = tuple((len(raw) // 2, scale) for raw, scale in windows)
    return Packed("i2", b"".join(raw for raw, _ in windows), scales=scales)


def unpack(packed: Packed) -> Array:
    """Return the floats that were packed.

    Raises `ReportError`: Bytes, scales and kind do not fit together.
    """
    if packed.kind not in KINDS or len(packed.raw) % KINDS[packed.kind].itemsize:
        raise ReportError("damaged", f"{len(packed.raw)} bytes are no samples of {packed.kind!r}")
    x: npt.NDArray[Any] = np.frombuffer(packed.raw, KINDS[packed.kind])
    if x.dtype.kind == "f":
        return x.astype(x.dtype.newbyteorder("="))
    if packed.decimals is not None:
        return np.asarray(x / 10.0**packed.decimals, np.float64)
    if sum(n for n, _ in packed.scales) != len(x) or any(n < 1 for n, _ in packed.scales):
        raise ReportError("damaged", "the scales are not those of the samples")
    scaled = np.empty(len(x), np.float32)
    start = 0
    for n, scale in packed.scales:
        np.multiply(x[start : start + n], np.float32(scale), out=scaled[start : start + n])
        start += n
    return scaled


def compress(raw: bytes) -> str:
    """Return bytes compressed (zlib) as base64."""
    return base64.b64encode(zlib.compress(raw, LEVEL)).decode()


def decompress(text: str, size: int) -> bytes:
    """Return the `size` bytes of `compress`; never more, whatever the text unpacks to.

    Raises `ReportError`: they are damaged, or not as many.
    """
    if not 0 <= size <= MAX_BYTES:
        raise ReportError("damaged", f"{size} bytes of samples, at most {MAX_BYTES} expected")
    try:
        decoder = zlib.decompressobj()
        # One byte more than expected, so that a stream which is too long shows.
        raw = decoder.decompress(base64.b64decode(text, validate=True), size + 1)
    except (zlib.error, binascii.Error, ValueError) as error:
        raise ReportError("damaged", f"the samples cannot be unpacked: {error}") from error
    if len(raw) != size or not decoder.eof:
        raise ReportError("damaged", f"the samples do not unpack to {size} bytes")
    return raw


def _decimals(x: Array) -> Iterator[int]:
    """Yield the numbers of decimals with which all samples may be written, few of them tried."""
    some = x[:: max(1, len(x) // 1000)]
    if not np.isfinite(x).all():
        return
    for decimals in range(MAX_DECIMALS + 1):
        with np.errstate(over="ignore"):
            rounded = np.rint(some * 10.0**decimals) / 10.0**decimals
        if np.array_equal(rounded, some):
            yield decimals


def _bits(x: Array) -> npt.NDArray[np.uint64]:
    """Return floats as bits: -0 is not 0."""
    return np.ascontiguousarray(x, np.float64).view(np.uint64)
