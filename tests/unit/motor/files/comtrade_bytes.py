"""COMTRADE records as bytes, written from the text of the standard and not by a library.

IEEE C37.111-1991, -1999 and -2013: configuration (clause 5 or 7), data as ASCII, BINARY, BINARY32
and FLOAT32, and the combined file (2013, clause 9).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

FORMATS = {"BINARY": "h", "BINARY32": "i", "FLOAT32": "f"}


@dataclass(frozen=True)
class Analog:
    """One line of an analogue channel, and its raw values."""

    name: str
    phase: str
    unit: str
    raw: Sequence[float]
    a: float = 0.01
    b: float = 0.0
    primary: float = 200.0
    secondary: float = 1.0
    side: str = "P"

    def line(self, n: int, revision: str) -> str:
        fields = [n, self.name, self.phase, "", self.unit, self.a, self.b, 0, -32767, 32767]
        if revision != "1991":
            fields += [self.primary, self.secondary, self.side]
        return ",".join(map(str, fields))


@dataclass(frozen=True)
class Record:
    channels: Sequence[Analog]
    revision: str = "1999"
    form: str = "ASCII"
    rates: Sequence[tuple[float, int]] = ()
    statuses: int = 1
    start: str = "14/02/2026,08:30:00.250000"
    trigger: str = "14/02/2026,08:30:00.350000"
    station: str = "Pump house"
    step_us: int = 500

    @property
    def samples(self) -> int:
        return len(self.channels[0].raw)

    def with_(self, **changes: object) -> "Record":
        return replace(self, **changes)  # type: ignore[arg-type]

    def cfg(self) -> bytes:
        rates = self.rates or [(1e6 / self.step_us, self.samples)]
        head = [self.station, "REL1"] + ([] if self.revision == "1991" else [self.revision])
        count = len(self.channels)
        lines = [
            ",".join(head),
            f"{count + self.statuses},{count}A,{self.statuses}D",
            *(c.line(n, self.revision) for n, c in enumerate(self.channels, start=1)),
            *(f"{n},TRIP{n},,,0" for n in range(1, self.statuses + 1)),
            "50",
            "0" if rates[0][0] == 0 else str(len(rates)),
            *(f"{fs:g},{end}" for fs, end in rates),
            self.start,
            self.trigger,
            self.form,
            *([] if self.revision == "1991" else ["1"]),
            *(["+1h00,+1h00", "0,3"] if self.revision == "2013" else []),
        ]
        return ("\r\n".join(lines) + "\r\n").encode("gbk")

    def dat(self) -> bytes:
        rows = range(self.samples)
        if self.form == "ASCII":
            return b"".join(self._ascii(i) for i in rows)
        analog = f"<{len(self.channels)}{FORMATS[self.form]}"
        status = struct.pack(f"<{-(-self.statuses // 16)}H", *[1] * -(-self.statuses // 16))
        return b"".join(
            struct.pack("<II", i + 1, i * self.step_us)
            + struct.pack(analog, *(c.raw[i] for c in self.channels))
            + status
            for i in rows
        )

    def cff(self) -> bytes:
        dat = self.dat()
        kind = self.form if self.form == "ASCII" else f"{self.form}: {len(dat)}"
        return b"".join(
            [
                b"--- file type: CFG ---\r\n",
                self.cfg(),
                b"--- file type: INF ---\r\n--- file type: HDR ---\r\nA motor start.\r\n",
                f"--- file type: DAT {kind} ---\r\n".encode(),
                dat,
            ]
        )

    def _ascii(self, i: int) -> bytes:
        values = [i + 1, i * self.step_us, *(c.raw[i] for c in self.channels), *[0] * self.statuses]
        return (",".join(map(str, values)) + "\r\n").encode()
