"""Files of three currents: `SUPPLY`, then the rate, Hz, and the counts of 10 mA as 16 bits."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vtox.motor.files.formats import Format
from vtox.motor.files.table import Column, Samples, Table

MARK, PHASES = b"SUPPLY", ("ia", "ib", "ic")
HEAD = len(MARK) + 4


def open_supply(path: Path) -> list[Table]:
    """Return the table in a file."""
    raw = path.read_bytes()
    fs_hz = float(np.frombuffer(raw[len(MARK) : HEAD], "<u4")[0])
    counts = np.frombuffer(raw[HEAD:], "<i2").reshape(len(PHASES), -1)

    def load(names: Sequence[str]) -> dict[str, Samples]:
        return {n: counts[PHASES.index(n)] * 0.01 for n in names}

    columns = tuple(Column(n, unit="A") for n in PHASES)
    return [Table(path=path, columns=columns, load=load, fs_hz=fs_hz, rate_source="the head")]


FORMATS = (Format("SUPPLY", (".sup",), lambda head, _: head.startswith(MARK), open_supply),)
