"""A report of a broken bar as `vtox diagnose --report` writes it, and ways to damage one."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.signals.current_lines import MOTOR, Machine, recording
from vtox.cli.shared.report_files import file_contents
from vtox.motor.diagnosis.diagnosis import diagnose
from vtox.motor.values.domain import Recording
from vtox.reporting.reports.contents import Contents, contents_from_json, part_hashes
from vtox.reporting.reports.document import BEGIN, END, PAGE, document
from vtox.reporting.reports.page import page

NAME = "pump <7> & fan.npz"
BAR = Machine(lower_dbc=-42, upper_dbc=-46, tip_rad=0.5, slot_dbc=-55, rotor_dbc=-62)


@cache
def contents() -> Contents:
    three = recording(BAR, np.random.default_rng(3))
    channels = {n: x.astype(np.float64).round(4) for n, x in three.channels.items()}
    bar = Recording(channels, three.fs_hz)
    return file_contents([(NAME, bar, diagnose(bar, MOTOR))], MOTOR, None)


@cache
def text() -> str:
    return document(contents(), page(contents()))


def written(folder: Path, what: str | None = None) -> Path:
    path = folder / "report.html"
    path.write_text(text() if what is None else what, encoding="utf-8")
    return path


def forged(change: Callable[[dict[str, Any]], None]) -> str:
    """A report whose contents were changed, with hashes that fit them."""
    before, _, rest = text().partition(BEGIN)
    block, _, after = rest.partition(END)
    data = json.loads(block)
    change(data["contents"])
    changed = contents_from_json(json.dumps(data["contents"]))
    hashes = part_hashes(changed) | {PAGE: data["sha256"][PAGE]}
    body = f'{{"contents":{json.dumps(data["contents"])},"sha256":{json.dumps(hashes)}}}'
    return f"{before}{BEGIN}{body.replace('<', chr(92) + 'u003c')}{END}{after}"
