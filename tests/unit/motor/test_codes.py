"""Every diagnosis has a code in a table that its fault may use, and advice unless normal."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module

import numpy as np
import pytest

from api.http.page_texts import page_texts
from tests.signals import current_lines, phasor_motor, vibration
from tests.unit.motor.words.latin import latin_words
from vtox import learn_baseline
from vtox.motor.alarms.coverage.unlocks import CODES
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.faults import FAULTS
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Array, Diagnosis, Motor, Recording
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import LANGUAGES, Language
from vtox.motor.words.rendering import advice, render

BOTH = (*CURRENTS, *VOLTAGES)
ALL = (*BOTH, "leakage")
SHARED_TABLES = ("general", "slip", "operation")


def inputs() -> Iterator[DiagnosisInput]:
    """Yield sound, faulty, short, broken and odd recordings, also without motor or baseline."""
    rng = np.random.default_rng(0)
    phasor, lines, shaken = phasor_motor.Machine(), current_lines.Machine(), vibration.Machine()
    healthy = phasor_motor.recording(phasor, 5.0, channels=ALL)
    currents = [
        current_lines.recording(m, rng, speed=speed)
        for speed in (False, True)
        for m in (
            lines,
            replace(lines, lower_dbc=-35.0, upper_dbc=-36.0),
            replace(lines, swing=0.01, swing_hz=2.0),
            replace(lines, rotor_dbc=-35.0),
            replace(lines, slot_dbc=-50.0),
            replace(lines, seconds=1.0),
            replace(lines, rms_a=1.0),
            replace(lines, rms_a=25.0),
            replace(lines, slip=0.001),
        )
    ]
    for x in currents:
        for motor in (current_lines.MOTOR, replace(current_lines.MOTOR, supply="inverter"), None):
            yield DiagnosisInput(x, motor)
    rotating = replace(lines, rotor_dbc=-52.0, noise=3e-4)
    rotation_known = learn_baseline(
        [current_lines.recording(rotating, rng) for _ in range(3)], current_lines.MOTOR
    )
    for rise_db, rms_a, f0_hz in ((0, 8, 50), (6, 8, 50), (15, 8, 50), (0, 4, 50), (0, 8, 40)):
        m = replace(rotating, rotor_dbc=-52.0 + rise_db, rms_a=rms_a, f0_hz=f0_hz, seconds=2.0)
        x = current_lines.recording(m, rng)
        yield DiagnosisInput(x, replace(current_lines.MOTOR, supply="inverter"), rotation_known)
    for m in (
        phasor,
        replace(phasor, short_a=5.0),
        replace(phasor, v2=0.01, short_a=1.0),
        replace(phasor, v2=0.05),
        replace(phasor, load=0.05),
        replace(phasor, gains=(1.0, -1.0, 1.0)),
        replace(phasor, gains=(1.0, 0.001, 1.0)),
        replace(phasor, gains=(1.2, 1.0, 1.0)),
        replace(phasor, earth_s=(1e-5, 0.0, 0.0), earth_f=(1e-8, 1e-8, 1e-8)),
        replace(phasor, earth_f=(1e-8, 1e-8, 1e-8), v0=0.02, third=0.02),
        replace(phasor, hz=38.0),
    ):
        for channels in (CURRENTS, BOTH, ALL, ("ia",), ("ia", "ib", *VOLTAGES)):
            for baseline in (None, learnt(CURRENTS), learnt(ALL)):
                x = phasor_motor.recording(m, 1.0, channels=channels)
                yield DiagnosisInput(x, phasor_motor.MOTOR, baseline)
    for part in (None, "BPFO", "BPFI", "BSF", "FTF"):
        impacts = (vibration.defect(part),) if part else ()
        x = vibration.recording(replace(shaken, impacts=impacts), 3.0)
        for speed_rpm in (x.speed_rpm, None, 0.0):
            for motor in (vibration.MOTOR, Motor(), replace(vibration.MOTOR, supply="inverter")):
                yield DiagnosisInput(replace(x, speed_rpm=speed_rpm), motor)
    for change in broken_samples(healthy):
        yield DiagnosisInput(change, phasor_motor.MOTOR)


def broken_samples(healthy: Recording) -> Iterator[Recording]:
    """Yield recordings of every channel with something wrong in all of them."""
    rng = np.random.default_rng(1)

    def changed(change: object, fs_hz: float = healthy.fs_hz) -> Recording:
        channels: dict[str, Array] = {
            n: change(x)  # type: ignore[operator]
            for n, x in (*healthy.channels.items(), ("vibration", rng.normal(size=healthy.samples)))
        }
        return Recording(channels, fs_hz)

    yield changed(lambda x: np.where(np.arange(len(x)) == 7, np.nan, x))
    yield changed(np.zeros_like)
    yield changed(lambda x: np.clip(x, -0.5 * x.max(), 0.5 * x.max()))
    yield changed(lambda x: 1e12 * x)
    yield changed(lambda x: np.repeat(x[::10], 10))
    yield changed(lambda x: np.where(np.arange(len(x)) < len(x) // 2, x, 0.0))
    yield changed(lambda x: rng.normal(size=len(x)))
    yield changed(lambda x: x, fs_hz=300.0)
    yield changed(lambda x: x, fs_hz=0.5)
    for samples in (0, 5, 63, 64, 200, 400):
        yield changed(lambda x, n=samples: x[:n])


@cache
def learnt(channels: tuple[str, ...]) -> Baseline:
    baseline: Baseline = learn_baseline(
        [
            phasor_motor.recording(phasor_motor.Machine(), 3.0, channels=channels, seed=seed)
            for seed in range(3)
        ],
        phasor_motor.MOTOR,
    )
    return baseline


@cache
def diagnoses() -> list[Diagnosis]:
    return [d for answer in diagnose_batch(list(inputs())) for d in answer]


def of(fault: str) -> list[Diagnosis]:
    return [d for d in diagnoses() if d.fault == fault]


@pytest.mark.parametrize("fault", FAULTS)
def test_codes_stand_in_the_tables_of_their_fault(fault: str) -> None:
    allowed = {c for t in (fault, *SHARED_TABLES) for c in catalogue("en").topics[t]}
    assert {d.code for d in of(fault)} - allowed == set()
    assert {r.code for d in of(fault) for r in d.doubts} - allowed == set()


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_is_not_normal_has_advice(fault: str) -> None:
    assert {d.code for d in of(fault) if d.state != "normal" and not advice(d.code)} == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_code_of_warning_and_fault_has_an_advice_of_each(fault: str, language: Language) -> None:
    rules = import_module(f"vtox.motor.diagnosis.diagnosers.{fault}.rules").RULES.rules
    warned, failed = ({r.code for r in rules if r.state == s} for s in ("warning", "fault"))
    both = warned & failed
    topic = catalogue(language).topics[fault]
    assert {code for code, said in topic.items() if said.at_fault} == both
    for code in both:
        assert advice(code, language=language) == topic[code].advice
        assert (
            advice(code, language=language, level="fault")
            == topic[code].at_fault
            != topic[code].advice
        )


@pytest.mark.parametrize("fault", FAULTS)
def test_what_would_unlock_an_abstention_is_known(fault: str) -> None:
    assert {d.code for d in of(fault) if d.state == "unknown"} - CODES == set()
    assert {d.code for d in of(fault) if d.state != "unknown"} & CODES == set()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_code_stands_for_one_kind_of_answer(fault: str) -> None:
    """A code of a normal state is never one of an abstention or of a finding."""
    normal = {d.code for d in of(fault) if d.state == "normal"}
    assert normal & {d.code for d in of(fault) if d.state != "normal"} == set()


@pytest.mark.parametrize("fault", FAULTS)
def test_the_recordings_are_varied(fault: str) -> None:
    assert len({d.state for d in of(fault)}) >= 2
    assert all(d.reason for d in of(fault))


@pytest.mark.parametrize("fault", FAULTS)
def test_values_of_real_diagnoses_leave_no_english_in_chinese(fault: str) -> None:
    reasons = {(r.code, str(r.values)): r for d in of(fault) for r in (d, *d.doubts) if r.code}
    said = {render(r.code, r.values, "zh") for r in reasons.values()}
    assert {text: left for text in said if (left := latin_words(text))} == {}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_pages_have_words_for_what_is_measured(fault: str) -> None:
    names = {f"indicators.{name}" for d in of(fault) for name in d.indicators}
    assert names - page_texts("en").keys() == set()
    texts = {v for d in of(fault) for n, v in d.indicators.items() if n in ("basis", "slip_source")}
    words = {"words.source_" + re.sub(r"\W+", "_", str(text)) for text in texts - {None, "none"}}
    assert words - page_texts("en").keys() == set()
