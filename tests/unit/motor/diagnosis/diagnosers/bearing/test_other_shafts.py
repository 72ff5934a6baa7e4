"""Impacts off the order of a part, alone and with another shaft that is louder than ours."""

from dataclasses import replace

import numpy as np
import pytest

from tests.signals.vibration import Machine, defect, recording
from tests.unit.motor.diagnosis.diagnosers.bearing.cases import diagnose
from vtox.motor.values.domain import Recording

OUR_HZ, THEIR_HZ = Machine().shaft_hz, 17.4


def with_other_shaft(r: Recording, *, size: float, multiples: tuple[int, ...]) -> Recording:
    """Return a record with lines of another shaft, of this velocity over that of ours."""
    x = r.channels["vibration"]
    t = np.arange(r.samples) / r.fs_hz
    for k in multiples:
        acceleration = 2.0 * size * THEIR_HZ / OUR_HZ
        x = x + acceleration * np.cos(2 * np.pi * k * THEIR_HZ * t)
    return replace(r, channels={"vibration": x.astype(np.float32)})


@pytest.mark.parametrize(
    ("deviation", "size", "multiples", "code"),
    [
        (-0.025, 3.0, (1, 2), "here_or_a_neighbour"),
        (-0.025, 0.3, (1, 2), "bearing_defect"),  # ours is louder
        (-0.025, 3.0, (1,), "bearing_defect"),  # one line is no shaft
        (-0.004, 3.0, (1, 2), "bearing_defect"),  # at its order
    ],
)
def test_an_outer_race_off_its_order_is_not_named_beside_a_louder_shaft(
    deviation: float, size: float, multiples: tuple[int, ...], code: str
) -> None:
    race = Machine(impacts=(defect("BPFO", 4.0, deviation),))
    r = with_other_shaft(recording(race, 4.0, seed=3), size=size, multiples=multiples)
    assert diagnose(r).code == code
