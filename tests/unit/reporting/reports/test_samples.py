import tracemalloc
import zlib
from base64 import b64encode

import numpy as np
import pytest

from vtox.motor.values.domain import Array, Window
from vtox.pipeline.windows.wire import decode, encode
from vtox.reporting.reports.errors import ReportError
from vtox.reporting.reports.samples import Packed, compress, decompress, pack, pack_counts, unpack


def same_bits(a: Array, b: Array) -> bool:
    return a.dtype == b.dtype and a.tobytes() == b.tobytes()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("float32", "f4"),
        ("noise", "f8"),
        ("counts", "i2"),
        ("decimals", "i4"),
        ("minus_zero", "f8"),
    ],
)
def test_samples_come_back_bit_for_bit(name: str, kind: str) -> None:
    rng = np.random.default_rng(1)
    x = {
        "float32": rng.standard_normal(500).astype(np.float32),
        "noise": rng.standard_normal(500),
        "counts": rng.integers(-32767, 32768, 500).astype(np.float64),
        "decimals": np.array([float(f"{v:.4f}") for v in 50 * rng.standard_normal(500)]),
        "minus_zero": np.array([-0.0, 1.0, 2.0]),
    }[name]
    packed = pack(x)
    assert packed.kind == kind
    assert packed.samples == len(x)
    assert same_bits(unpack(packed), x)


def test_counts_of_windows_give_what_the_stream_gives() -> None:
    rng = np.random.default_rng(2)
    windows = [
        Window(machine_id="M", seq=i, t0=1.0, fs_hz=1000.0, channels={"ia": rng.normal(size=100)})
        for i in range(3)
    ]
    entries = [{k.encode(): _raw(v) for k, v in encode(w).items()} for w in windows]
    packed = pack_counts([(e[b"ia"], float(e[b"scale_ia"])) for e in entries])
    joined = np.concatenate([decode(e).channels["ia"] for e in entries])
    assert same_bits(unpack(packed), joined)


def _raw(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def test_a_text_that_claims_another_size_is_refused() -> None:
    text = compress(b"abcd")
    assert decompress(text, 4) == b"abcd"
    for size in (3, 5, -1, 1 << 40):
        with pytest.raises(ReportError, match="bytes"):
            decompress(text, size)
    for damaged in (text[:-4], "not base64!", b64encode(b"no zlib").decode()):
        with pytest.raises(ReportError):
            decompress(damaged, 4)


def test_a_bomb_unpacks_no_further_than_it_claims() -> None:
    bomb = b64encode(zlib.compress(b"\0" * 50_000_000)).decode()
    tracemalloc.start()
    try:
        with pytest.raises(ReportError, match="do not unpack to 1000 bytes"):
            decompress(bomb, 1000)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_scales_that_do_not_fit_are_refused() -> None:
    for scales in ((), ((1, 1.0),), ((3, 1.0),), ((-1, 1.0), (3, 1.0))):
        with pytest.raises(ReportError, match="scales"):
            unpack(Packed("i2", b"\0" * 4, scales))
    with pytest.raises(ReportError, match="no samples"):
        unpack(Packed("f8", b"\0" * 4))
