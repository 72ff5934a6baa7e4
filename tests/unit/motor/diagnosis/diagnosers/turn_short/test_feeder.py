"""The supply moves all machines of a feeder; a short moves one alone."""

import cmath

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, Machine, recording
from vtox import learn_baseline
from vtox.motor.diagnosis.diagnosers.turn_short.feeder import (
    ASKED,
    FAULT,
    Movement,
    feeder_finding,
)
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Diagnosis

LOADS = (0.6, 0.8, 1.0)
MOVED = 0.008 * cmath.exp(2j)


def diagnosed(*now: Machine) -> list[Diagnosis]:
    """Return the diagnoses of machines that have learnt a baseline at their load."""
    healthy = [[recording(Machine(load=m.load), seed=s) for s in range(5)] for m in now]
    questions = [
        DiagnosisInput(recording(m, seed=9), MOTOR, learn_baseline(h, MOTOR))
        for m, h in zip(now, healthy, strict=True)
    ]
    return [d for (d,) in diagnose_batch(questions, [FAULT])]


def said(diagnoses: list[Diagnosis], i: int) -> str:
    shown = [Movement.of(d.indicators, MOTOR, 10.0) for d in diagnoses]
    assert all(shown)
    own, others = shown[i], [x for j, x in enumerate(shown) if x and j != i]
    assert own is not None
    why = feeder_finding(own, others, 9.0, 1.0)
    return why.code if why else ""


def test_machines_that_move_with_their_supply_say_so() -> None:
    found = diagnosed(*(Machine(load=x, v2=MOVED) for x in LOADS))
    assert [d.code for d in found] == [ASKED] * 3
    assert [said(found, i) for i in range(3)] == ["feeder_moves"] * 3


@pytest.mark.parametrize("v2", [0.0, 0.003 * cmath.exp(2j)])
def test_a_short_of_one_of_them_is_not_explained(v2: complex) -> None:
    first, *rest = (Machine(load=x, v2=v2) for x in LOADS)
    found = diagnosed(Machine(load=first.load, v2=v2, short_a=6.0), *rest)
    assert found[0].code == ASKED
    assert said(found, 0) == "feeder_rests"
    assert {d.code for d in found[1:]} <= {ASKED, "asymmetry_within_limit"}


@pytest.mark.parametrize(
    ("ratio", "deg", "code"),
    [
        (0.5, 39, "feeder_moves"),
        (0.49, 0, "feeder_rests"),
        (3.0, 0, "feeder_moves"),
        (1.0, 41, "feeder_rests"),
    ],
)
def test_movements_are_alike_by_size_and_angle(ratio: float, deg: float, code: str) -> None:
    own = Movement(1.0, 0.06 + 0j)
    other = Movement(1.0, own.i2 * ratio * np.exp(1j * np.radians(deg)))
    why = feeder_finding(own, [other] * 2, 1.0, 1.0)
    assert why is not None
    assert why.code == code


def test_others_count_once_they_have_seen_what_the_machine_saw() -> None:
    own, with_it = Movement(10.0, 0.06 + 0j), [Movement(9.0, 0.06 + 0j)] * 2
    at_rest = [Movement(9.0, 0j)] * 2

    def code(others: list[Movement], before_t: float | None) -> str:
        why = feeder_finding(own, others, before_t, 1.0)
        return why.code if why else ""

    assert code(at_rest, None) == "feeder_not_heard"  # its first record that shows it
    assert code(with_it, None) == "feeder_moves"
    assert code(at_rest, 9.0) == "feeder_rests"
    assert code(at_rest, 9.5) == ""  # they have not spoken since
    assert code(at_rest[:1], 9.0) == ""  # two machines are no feeder
    one_moves = [Movement(9.5, 0.06 + 0j), *[Movement(9.5, 0j)] * 3]
    assert code(one_moves, 9.0) == ""


def test_voltages_and_a_missing_rated_current_say_nothing() -> None:
    healthy = [recording(Machine(), seed=s, channels=(*CURRENTS, *VOLTAGES)) for s in range(3)]
    known = learn_baseline(healthy, MOTOR)
    ((d,),) = diagnose_batch([DiagnosisInput(healthy[0], MOTOR, known)], [FAULT])
    assert d.indicators["basis"] == "voltage and baseline"
    assert Movement.of(d.indicators, MOTOR, 1.0) is None
    assert Movement.of({}, MOTOR, 1.0) is None
