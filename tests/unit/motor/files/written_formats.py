"""The same channels written in each format, as its own programs lay it out."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import h5py
import nptdms
import numpy as np
import scipy.io
import scipy.io.wavfile
import soundfile

from tests.unit.motor.files.comtrade_bytes import Analog, Record
from tests.unit.motor.files.uff_bytes import data_set_58

Channels = Mapping[str, np.ndarray]
# Steps of 1 mA: the noise of the clamps is ten times as large.
STEP = 1e-3
CHINESE = {"ia": "A相电流(A)", "ib": "B相电流(A)", "ic": "C相电流(A)"}


def gbk_csv(path: Path, x: Channels, fs_hz: float) -> None:
    rows = zip(np.arange(len(x["ia"])) / fs_hz, *x.values(), strict=True)
    lines = [";".join(f"{v:.9g}" for v in row).replace(".", ",") for row in rows]
    header = ";".join(["时间(s)", *(CHINESE[c] for c in x)])
    path.write_bytes("\r\n".join(["设备;一号泵", "", header, *lines]).encode("gbk"))


def utf16_tab(path: Path, x: Channels, fs_hz: float) -> None:
    rows = "".join(
        "\t".join(f"{v:.9g}" for v in row) + "\n" for row in zip(*x.values(), strict=True)
    )
    header = "\t".join(f"I_L{i} [A]" for i in (1, 2, 3))
    path.write_text(f"Sampling rate: {fs_hz:g} Hz\n{header}\n{rows}", encoding="utf-16")


def matlab_5(path: Path, x: Channels, fs_hz: float) -> None:
    scipy.io.savemat(path, {"data": dict(x), "Fs": fs_hz}, do_compression=True)


def matlab_73(path: Path, x: Channels, fs_hz: float) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in (*x.items(), ("fs", np.array([fs_hz]))):
            stored = file.create_dataset(name, data=np.atleast_2d(values))
            stored.attrs["MATLAB_class"] = np.bytes_("double")
    text = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
    path.write_bytes(text + path.read_bytes()[len(text) :])


def float_wav(path: Path, x: Channels, fs_hz: float) -> None:
    table = np.column_stack([c.astype(np.float32) for c in x.values()])
    scipy.io.wavfile.write(path, round(fs_hz), table)


def flac(path: Path, x: Channels, fs_hz: float) -> None:
    table = np.column_stack(list(x.values())) / 100
    soundfile.write(path, table, round(fs_hz), subtype="PCM_24")


def tdms(path: Path, x: Channels, fs_hz: float) -> None:
    properties = {"wf_increment": 1 / fs_hz, "unit_string": "A"}
    buffer = io.BytesIO()
    with nptdms.TdmsWriter(buffer) as writer:
        writer.write_segment(
            [nptdms.ChannelObject("motor", n.title(), v, properties) for n, v in x.items()]
        )
    path.write_bytes(buffer.getvalue())


def universal(path: Path, x: Channels, fs_hz: float) -> None:
    sets = (
        data_set_58(v, 1 / fs_hz, binary=True, name=n, kind=0, unit="A", direction=0)
        for n, v in x.items()
    )
    path.write_bytes(b"".join(sets))


def comtrade(revision: str, form: str) -> Callable[[Path, Channels, float], None]:
    def write(path: Path, x: Channels, fs_hz: float) -> None:
        raw = {n: np.round(v / STEP).astype(int).tolist() for n, v in x.items()}
        # As a relay writes them: secondary values behind a transformer of 200/5.
        channels = [
            Analog(n.upper(), n[1].upper(), "A", r, a=STEP / 40, primary=200, secondary=5, side="S")
            for n, r in raw.items()
        ]
        record = Record(channels, revision, form, rates=[(fs_hz, len(x["ia"]))])
        if path.suffix == ".cff":
            path.write_bytes(record.cff())
        else:
            path.write_bytes(record.cfg())
            path.with_suffix(".dat").write_bytes(record.dat())

    return write


# File name -> writer, and options that the user must state.
FORMATS: dict[str, tuple[Callable[[Path, Channels, float], None], tuple[str, ...]]] = {
    "gbk.csv": (gbk_csv, ()),
    "utf16.txt": (utf16_tab, ()),
    "5.mat": (matlab_5, ()),
    "73.mat": (matlab_73, ()),
    "x.wav": (float_wav, ("--map", "ia=1,ib=2,ic=3")),
    "x.flac": (flac, ("--map", "ia=1,ib=2,ic=3", "--unit", "ia=100,ib=100,ic=100")),
    "x.tdms": (tdms, ()),
    "x.uff": (universal, ()),
    "1999.cfg": (comtrade("1999", "BINARY"), ()),
    "2013.cff": (comtrade("2013", "FLOAT32"), ()),
}
