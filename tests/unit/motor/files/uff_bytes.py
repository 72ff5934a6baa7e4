"""Universal files as bytes, data set 58 written from its fixed columns and not by a library."""

import numpy as np


def data_set_58(
    x: np.ndarray,
    step_s: float,
    *,
    binary: bool = False,
    name: str = "drive end",
    node: int = 3,
    direction: int = 1,
    kind: int = 12,
    unit: str = "m/s^2",
    function: int = 1,
) -> bytes:
    dat = x.astype("<f8").tobytes()
    head = f"    58b{1:6}{2:6}{11:12}{len(dat):12}{0:6}{0:6}{0:12}{0:12}" if binary else "    58"
    axes = [
        (17, "Time", "s"),
        (kind, "Acceleration", unit),
        (0, "NONE", "NONE"),
        (0, "NONE", "NONE"),
    ]
    lines = [
        "    -1",
        head,
        name,
        "NONE",
        "01-Jan-26  00:00:00",
        "NONE",
        "NONE",
        f"{function:5}{0:10}{0:5}{0:10} {'NONE':10}{node:10}{direction:4} {'NONE':10}{0:10}{0:4}",
        f"{4:10}{len(x):10}{1:10}{0:13.5e}{step_s:13.5e}{0:13.5e}",
        *(f"{k:10}{0:5}{0:5}{0:5} {label:20} {u:20}" for k, label, u in axes),
    ]
    rows = (x[i : i + 4] for i in range(0, len(x), 4))
    body = dat if binary else "\n".join("".join(f"{v:20.11e}" for v in r) for r in rows).encode()
    return "\n".join(lines).encode() + b"\n" + body + b"\n    -1\n"
