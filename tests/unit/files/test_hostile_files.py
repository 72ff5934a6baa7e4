"""Whatever the bytes of a file are, reading it ends in recordings or in one class of error."""

import gc
import io
import random
import resource
from collections.abc import Callable
from pathlib import Path

import nptdms
import numpy as np
import pytest
import scipy.io
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.files import test_plant_layouts as plant
from tests.unit.files.comtrade_bytes import Analog, Record
from tests.unit.files.test_matlab import hdf5
from tests.unit.files.uff_bytes import data_set_58
from vtox.errors import FileError, RecordingError
from vtox.files.inspection import file_facts
from vtox.files.matching import ReadOptions, options
from vtox.files.recordings import read

X = 3 * np.sin(0.1 * np.arange(300))
T = np.arange(300) / 5000


def csv(folder: Path) -> bytes:
    rows = "".join(
        f"{t:.4f};{x:.3f};{x:.2f}\n".replace(".", ",") for t, x in zip(T, X, strict=True)
    )
    return f"# 泵\n时间;A相电流(mA);Ib [A]\n{rows}".encode("gbk")


def clock_csv(folder: Path) -> bytes:
    rows = "".join(f"2026-01-01 12:00:00.{i:04},{x:.3f},on\n" for i, x in enumerate(X))
    return f"Rate: 5 kHz\nTime,Ia,note\n{rows}".encode()


def npz(folder: Path) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, ia=X, ib=X, fs_hz=5000.0)
    return buffer.getvalue()


def npy(folder: Path) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, X.reshape(-1, 3))
    return buffer.getvalue()


def matlab_5(folder: Path) -> bytes:
    buffer = io.BytesIO()
    cell = np.array(["a", 1.0], dtype=object)
    scipy.io.savemat(buffer, {"Ia": X, "d": {"Ib": X, "c": cell}, "fs": 5000.0})
    return buffer.getvalue()


def matlab_73(folder: Path) -> bytes:
    return hdf5(folder / "seed.mat", {"run.Ia": X, "Ib": X, "fs_hz": 5000.0}).read_bytes()


def comtrade(form: str) -> Callable[[Path], bytes]:
    channels = [Analog(f"I{p}", p, "A", [round(100 * x) for x in X]) for p in "ABC"]
    return lambda folder: Record(channels, revision="2013", form=form).cff()


def audio(form: str) -> Callable[[Path], bytes]:
    def written(folder: Path) -> bytes:
        buffer = io.BytesIO()
        soundfile.write(buffer, X / 4, 8000, format=form)
        return buffer.getvalue()

    return written


def tdms(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with nptdms.TdmsWriter(buffer) as writer:
        properties = {"wf_increment": 1e-4, "unit_string": "A"}
        writer.write_segment([nptdms.ChannelObject("G", n, X, properties) for n in ("Ia", "Ib")])
    return buffer.getvalue()


SEEDS: dict[str, Callable[[Path], bytes]] = {
    "x.csv": csv,
    "clock.csv": clock_csv,
    "x.npz": npz,
    "x.npy": npy,
    "5.mat": matlab_5,
    "73.mat": matlab_73,
    "ascii.cff": comtrade("ASCII"),
    "binary.cff": comtrade("BINARY"),
    "x.wav": audio("WAV"),
    "x.flac": audio("FLAC"),
    "x.tdms": tdms,
    "x.uff": lambda folder: data_set_58(X, 1e-4),
    "binary.uff": lambda folder: data_set_58(X, 1e-4, binary=True),
    "x.zip": lambda folder: plant.zipped(folder).read_bytes(),
    "x.cev": lambda folder: plant.sel(folder).read_bytes(),
    "x.lvm": lambda folder: plant.labview(folder).read_bytes(),
}
# Numbers that lengths and counts do not expect.
EXTREMES = (b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0" * 8, b"\xff" * 7 + b"\x7f", b"\0\0\1\0")


def opts_for(name: str) -> ReadOptions:
    return options(mapping=["vibration=1"]) if name.endswith(("wav", "flac")) else options()


def mutate(data: bytes, seed: int) -> bytes:
    """Return data with some bytes changed, taken out, put in or repeated, mostly near its head."""
    rng = random.Random(seed)
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if len(changed) < 4:
            break
        i = rng.randrange(min(len(changed), rng.choice((64, 512, 2048, len(changed)))))
        match rng.randrange(6):
            case 0:
                changed[i] ^= 1 << rng.randrange(8)
            case 1:
                del changed[i : i + rng.choice((1, 4, 50, 1000))]
            case 2:
                changed[i:i] = rng.randbytes(rng.choice((1, 4, 64)))
            case 3:
                changed = changed[:i]
            case 4:
                extreme = rng.choice(EXTREMES)
                changed[i : i + len(extreme)] = extreme
            case 5:
                j = rng.randrange(len(changed))
                changed[i : i + 16] = changed[j : j + 16]
    return bytes(changed)


def outcome(path: Path, opts: ReadOptions) -> str:
    """Return `read` or the code of the error; any other error is the test's failure."""
    try:
        found = read(path, opts)
    except FileError as error:
        return error.code
    except RecordingError:
        return "inconsistent"
    assert found
    return "read"


@pytest.mark.parametrize("name", SEEDS)
def test_what_is_whole_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(SEEDS[name](tmp_path))
    opts = options(mapping=["ia=1"], fs_hz=1e3) if name == "x.npy" else opts_for(name)
    assert outcome(tmp_path / name, opts) == "read"


@pytest.mark.slow
@pytest.mark.parametrize("name", SEEDS)
def test_mutated_files_end_in_one_class_of_error(tmp_path: Path, name: str) -> None:
    whole = SEEDS[name](tmp_path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ends = set()

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(st.integers(0, 10**9))
    def check(seed: int) -> None:
        (tmp_path / name).write_bytes(mutate(whole, seed))
        ends.add(outcome(tmp_path / name, opts_for(name)))
        try:
            file_facts(tmp_path / name, options())
        except FileError:
            pass

    # Readers ask for a full collection after each damaged file: of what they made, no module.
    gc.freeze()
    check()
    assert len(ends) > 1
    # KiB; a seed is some kB, so that hundreds of MB would be what a length in it claims.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10


@pytest.mark.parametrize("suffix", sorted({Path(n).suffix for n in SEEDS} | {".cfg", ".dat"}))
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)))
def test_any_bytes_under_any_name(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    assert outcome(path, options()) not in ("read", "inconsistent")


@pytest.mark.parametrize("name", SEEDS)
@pytest.mark.parametrize("other", [".csv", ".wav", ".mat", ".npz", ".tdms"])
def test_a_wrong_ending_changes_nothing_where_the_content_speaks(
    tmp_path: Path, name: str, other: str
) -> None:
    path = tmp_path / f"x{other}"
    path.write_bytes(SEEDS[name](tmp_path))
    opts = options(mapping=["ia=1"], fs_hz=1e3) if name == "x.npy" else opts_for(name)
    expected = "read"
    if name.endswith("csv") and other != ".csv":
        expected = "wrong_content"
    assert outcome(path, opts) == expected
