"""The kinds of broken input: enough of them, each breaks something, and codes that exist."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.inputs import plates, records, samples, wiring
from evaluation.inputs.base import Base
from evaluation.inputs.cases import MISTAKES
from evaluation.inputs.mistake import ALL_CHANNELS, REFUSED, RawInput, mistake, on
from evaluation.runs.inputs import input_outcome
from vtox.motor.faults import FAULTS
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.bearing import Bearing

ROOT = Path(__file__).resolve().parents[3]
BEARING = Bearing(orders={"BPFO": 3.58, "BPFI": 5.42, "BSF": 2.36, "FTF": 0.398})
PLATE = {
    "pole_pairs": 2,
    "supply_hz": 50.0,
    "rated_speed_rpm": 1440.0,
    "rated_current_a": 10.0,
    "rated_voltage_v": 400.0,
    "rated_power_w": 4e3,
    "rotor_bars": 28,
    "supply": "grid",
    "bearing": BEARING,
}


@pytest.fixture
def raw() -> RawInput:
    rng = np.random.default_rng(7)
    channels = {n: rng.standard_normal(100_000).astype(np.float32) for n in ALL_CHANNELS}
    return RawInput(channels, 10_000.0, 1460.0, PLATE)


def test_there_are_150_kinds_with_codes_and_no_name_twice() -> None:
    lists = (samples.SAMPLES, wiring.WIRING, records.RECORDS, plates.NAMEPLATES)
    assert len(MISTAKES) == sum(map(len, lists))
    assert sum(bool(m.expected) for m in MISTAKES.values()) >= 150


def test_codes_expected_stand_in_the_documents_and_faults_exist() -> None:
    pages = "".join(p.read_text() for p in (ROOT / "docs/reference/codes").glob("*.md"))
    known = set(re.findall(r"^\| `(\w+)`", pages, re.MULTILINE))
    for m in MISTAKES.values():
        for fault, codes in m.expected.items():
            if fault == REFUSED:
                assert codes <= {"RecordingError", "NameplateError"}
            else:
                assert fault in FAULTS
                assert codes <= known, m.name


def test_every_kind_changes_the_input(raw: RawInput) -> None:
    for m in MISTAKES.values():
        changed = m.change(raw, np.random.default_rng(1))
        same = changed.fs_hz == raw.fs_hz and changed.motor == raw.motor
        same &= changed.speed_rpm == raw.speed_rpm and changed.temperature_c == raw.temperature_c
        assert not same or not _equal(changed, raw), m.name


def test_an_outcome_is_right_only_without_alarm_crash_and_wrong_code(raw: RawInput) -> None:
    base = Base("m", replace(raw, channels={"ia": raw.channels["ia"]}), Baseline())
    dead = on("ia", by=samples.scaled(0))
    assert input_outcome(base, mistake("x", dead, currents="samples_constant"), 1).right
    other = input_outcome(base, mistake("x", dead, broken_bar="clipped"), 1)
    assert other.wrong == ("broken_bar: unknown samples_constant",)
    refused = input_outcome(base, mistake("x", dead, refused="RecordingError"), 1)
    assert refused.wrong == ("not refused",)

    def broken(x: object, rng: np.random.Generator) -> object:
        return x.reshape(2, -1)  # type: ignore[attr-defined]

    assert input_outcome(base, mistake("x", on("ia", by=broken)), 1).wrong == (
        "refused: RecordingError",
    )


def _equal(one: RawInput, other: RawInput) -> bool:
    if one.channels.keys() != other.channels.keys():
        return False
    return all(
        x.dtype == other.channels[n].dtype and np.array_equal(x, other.channels[n])
        for n, x in one.channels.items()
    )
