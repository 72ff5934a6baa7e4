"""Senders with windows of 0.1 s to 10 s get the same answers: records are joined by time."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from tests.signals import phasor_motor, vibration
from vtox import Recording, diagnose
from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Motor
from vtox.motor.values.record_lengths import record_length_s
from vtox.pipeline.bridge.record_joiner import Joiner, Piece
from vtox.pipeline.windows.wire import Header

SECONDS = {"turn_short": 10.0, "bearing": 20.0, "broken_bar": 40.0}
WINDOWS_S = (0.1, 0.5, 2.0, 10.0)


def damaged(seconds: float) -> Recording:
    """Return the vibration of a machine whose outer race is damaged."""
    m = vibration.Machine(impacts=(vibration.defect("BPFO", 3.0),))
    x = vibration.vibration(m, seconds)
    return Recording({"vibration": x}, vibration.FS_HZ, speed_rpm=60 * m.shaft_hz)


def shorted(seconds: float) -> Recording:
    """Return currents and voltages of a machine with shorted turns."""
    m, channels = phasor_motor.Machine(short_a=4.0, v2=0.004), (*CURRENTS, *VOLTAGES)
    return phasor_motor.recording(m, seconds, 2_000.0, channels=channels)


def records(whole: Recording, motor: Motor, family: str, window_s: float) -> Iterator[Recording]:
    """Yield the records of a family that a bridge joins of windows of one length."""
    joiner = Joiner(lambda of, _: record_length_s(of, motor))
    samples = round(window_s * whole.fs_hz)
    channels = tuple(whole.channels)
    for seq in range(whole.samples // samples):
        t0 = seq * window_s
        h = Header("M", "", seq, t0, whole.fs_hz, samples, samples, channels, None, None, None)
        for closed in joiner.add(Piece(f"{seq}-0", "", h, frozenset({family})), t0):
            part = slice(closed.record.first_seq * samples, (closed.record.last_seq + 1) * samples)
            cut = {name: x[part] for name, x in whole.channels.items()}
            yield Recording(cut, whole.fs_hz, whole.speed_rpm)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_answers_do_not_depend_on_the_length_of_windows(family: str) -> None:
    made, motor = (
        (damaged, vibration.MOTOR) if family == "bearing" else (shorted, phasor_motor.MOTOR)
    )
    whole = made(SECONDS[family])
    answers = {
        window_s: [
            tuple((d.state, d.code) for d in diagnose(x, motor, faults=FAMILIES[family].faults))
            for x in records(whole, motor, family, window_s)
        ]
        for window_s in WINDOWS_S
    }
    expected = Counter(answers[2.0]).most_common(1)[0][0]
    for window_s, found in answers.items():
        assert found, window_s
        share = np.mean([x == expected for x in found])
        assert share == 1, (window_s, Counter(found))
