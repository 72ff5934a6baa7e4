"""Samples of a channel in a stream entry: 16-bit counts, 32-bit numbers or JSON."""

import json
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from vtox.motor.errors import WireError

Counts = npt.NDArray[np.int16] | npt.NDArray[np.float32]

_NUMPY: dict[bytes, np.dtype[Any]] = {b"i2": np.dtype("<i2"), b"f4": np.dtype("<f4")}


def counts_bytes(name: str, x: npt.NDArray[Any]) -> bytes:
    """Return 16-bit counts as bytes.

    Raises `WireError`: they are no whole numbers of 16 bits.
    """
    counts = x.astype("<i2", casting="unsafe") if x.dtype.kind in "iu" else None
    if counts is None or not np.array_equal(counts, x):
        what = f"{name}: has a scale, expected whole numbers of 16 bits (-32768 to 32767)"
        raise WireError("bad_dtype", what, name)
    return counts.tobytes()


def scaled_bytes(name: str, x: npt.NDArray[Any]) -> tuple[bytes, str]:
    """Return a channel as 16-bit counts, with the units that one of them is worth.

    Raises `WireError`: a sample is not finite.
    """
    x = np.asarray(x, dtype=float)  # the absolute value of -32768 is -32768 in 16 bits
    peak = float(np.max(np.abs(x), initial=0.0))
    if not math.isfinite(peak):
        where = int(np.flatnonzero(~np.isfinite(x))[0])
        raise WireError("not_finite", f"{name}: sample {where} is not finite", name)
    scale = peak / 32767 or 1.0  # a peak of 1e-320 has none
    return np.rint(x / scale).astype("<i2").tobytes(), repr(scale)


def count_error(samples: int, max_samples: int, name: str) -> WireError:
    """Return the error of a channel with none or too many samples."""
    expected = f"{samples} samples in a channel, expected 1 to {max_samples}"
    return WireError("too_large" if samples else "bad_length", expected, name)


def read_samples(raw: bytes, dtype: bytes, name: str, max_samples: int) -> Counts:
    """Return the samples of a channel as sent, not scaled to units.

    Raises `WireError`: the bytes are none of that type, or JSON with more than `max_samples`.
    """
    if dtype == b"json":
        raw = bytes(raw)
        # Counting takes 4 ms, parsing 360 ms (8 MB).
        if (samples := raw.count(b",") + 1) > max_samples:
            raise count_error(samples, max_samples, name)
        return _json_samples(raw, name)
    kind = _NUMPY[dtype]
    if len(raw) % kind.itemsize:
        raise WireError(
            "bad_length",
            f"{name}: {len(raw)} bytes do not make whole {dtype.decode()} samples",
            name,
        )
    return np.frombuffer(raw, kind)


def _json_samples(raw: bytes, name: str) -> Counts:
    try:
        values = _json(raw)
        with np.errstate(over="ignore"):  # it is refused as infinite
            x = np.asarray(values, dtype=np.float32)
    except (ValueError, TypeError, RecursionError, OverflowError):
        expected = "expected a JSON array of numbers, or dtype i2 or f4 for bytes"
        raise WireError("bad_json", f"{name}: {excerpt(raw)}, {expected}", name) from None
    if not isinstance(values, list) or x.ndim != 1:
        raise WireError("bad_json", f"{name}: expected a flat array of numbers", name)
    return x


def _json(raw: bytes) -> Any:
    """Return the value of a JSON text, ten times faster than `json` if it has only numbers."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return json.loads(raw)  # takes NaN, Infinity and 1e999, which are refused by their own code


def excerpt(raw: bytes) -> str:
    """Return the beginning of a field for an error."""
    return repr(raw[:40].decode("utf-8", "replace"))
