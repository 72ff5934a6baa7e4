import wave
from pathlib import Path

import numpy as np
import pytest
import scipy.io.wavfile
import soundfile

from vtox.motor.errors import FileError
from vtox.motor.files.matching import options
from vtox.motor.files.recordings import read

X = np.round(20_000 * np.sin(0.1 * np.arange(2000))).astype(np.int16)
MAPPED = options(mapping=["vibration=1"], unit=["vibration=9.80665"])


def stdlib_wav(path: Path, width: int, *, channels: int = 1, samples: np.ndarray = X) -> Path:
    """Return a WAV that the standard library has written: no second reader of this format in it."""
    whole = np.repeat(samples.astype(np.int64) << (8 * width - 16), channels)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(25_600)
        file.writeframes(b"".join(int(v).to_bytes(width, "little", signed=True) for v in whole))
    return path


@pytest.mark.parametrize("width", [2, 3, 4])
def test_wav_of_the_standard_library(tmp_path: Path, width: int) -> None:
    [recording] = read(stdlib_wav(tmp_path / "x.wav", width), MAPPED)
    assert recording.fs_hz == 25_600.0
    assert recording.channels["vibration"] == pytest.approx(X / 32768 * 9.80665)


def test_wav_of_scipy_in_floats(tmp_path: Path) -> None:
    both = np.column_stack([X / 3e4, -X / 3e4]).astype(np.float32)
    scipy.io.wavfile.write(tmp_path / "x.wav", 48_000, both)
    [recording] = read(tmp_path / "x.wav", options(mapping=["ia=1,ib=2"]))
    assert recording.fs_hz == 48_000.0
    assert recording.channels["ib"] == pytest.approx(-both[:, 0])


def test_flac(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.flac", X, 12_000, subtype="PCM_16")
    [recording] = read(tmp_path / "x.flac", MAPPED)
    assert recording.fs_hz == 12_000.0
    assert recording.channels["vibration"] == pytest.approx(X / 32768 * 9.80665)


def test_channels_are_for_the_user_to_name(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no channel among the columns 1, 2") as raised:
        read(stdlib_wav(tmp_path / "x.wav", 2, channels=2))
    assert raised.value.code == "no_channel"


@pytest.mark.parametrize(
    ("keep", "message"),
    [(3000, "3000 bytes, expected 4044 by its heading"), (30, "not a readable audio file")],
)
def test_a_wav_that_breaks_off(tmp_path: Path, keep: int, message: str) -> None:
    path = stdlib_wav(tmp_path / "x.wav", 2)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(FileError, match=message):
        read(path, MAPPED)


def test_a_wav_whose_length_was_never_written_is_read(tmp_path: Path) -> None:
    path = stdlib_wav(tmp_path / "x.wav", 2)
    whole = bytearray(path.read_bytes())
    whole[4:8] = whole[40:44] = b"\xff" * 4
    path.write_bytes(whole)
    assert read(path, MAPPED)[0].samples == 2000


def test_a_flac_that_breaks_off(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.flac", np.tile(X, 20), 12_000)
    whole = (tmp_path / "x.flac").read_bytes()
    (tmp_path / "x.flac").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError) as raised:
        read(tmp_path / "x.flac", MAPPED)
    assert raised.value.code == "damaged"
