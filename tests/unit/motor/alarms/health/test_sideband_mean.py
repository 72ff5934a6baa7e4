"""Records of a rotor cage that noise leaves open, decided by the mean over them."""

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.motor.alarms.health.test_update import record
from vtox.motor.alarms.health.sideband_mean import (
    LEAST_RECORDS,
    MARGIN_DB,
    MOST_RECORDS,
    SidebandMean,
    decided_by_mean,
)
from vtox.motor.alarms.health.update import HealthUpdate, MachineHistory, update
from vtox.motor.values import codec
from vtox.motor.values.domain import Answer, Diagnosis, reason

OPEN = Diagnosis(
    fault="broken_bar",
    state="unknown",
    code="noise_hides_sidebands",
    values={"detectable_dbc": -50.0, "needed_dbc": -54.0},
    indicators={"strongest_dbc": -60.0},
)
AT_LINE = {"distance_hz": 2.0, "lower_sideband_dbc": -50.0, "upper_sideband_dbc": -52.0}
FOUND = AT_LINE | {"slip": 0.02, "slip_source": "nameplate and load"}
LOUD = replace(OPEN, indicators={"strongest_dbc": -50.0})


def updates(*diagnoses: Diagnosis) -> list[HealthUpdate]:
    history, found = MachineHistory(), []
    for n, d in enumerate(diagnoses):
        found.append(update(history, record(n), [d]))
        # As it is stored.
        history = codec.decode(MachineHistory, codec.encode(found[-1].history))
    return found


def test_enough_quiet_records_call_a_cage_sound() -> None:
    found = updates(*[OPEN] * LEAST_RECORDS)
    assert [u.decided[0].state for u in found[:-1]] == ["unknown"] * (LEAST_RECORDS - 1)
    last = found[-1].decided[0]
    assert (last.state, last.code, last.severity) == ("normal", "no_sidebands_over_records", 0.0)
    assert last.values == {"records": LEAST_RECORDS, "bound_dbc": -60.0 + MARGIN_DB}
    assert found[-1].history.faults["broken_bar"].last_code == "no_sidebands_over_records"


def test_a_bound_above_the_limit_is_a_doubt() -> None:
    last = updates(*[LOUD] * LEAST_RECORDS)[-1].decided[0]
    assert (last.state, last.code) == ("unknown", "noise_hides_sidebands")
    assert [d.code for d in last.doubts] == ["sidebands_bounded"]


@pytest.mark.parametrize(
    "d",
    [
        replace(OPEN, code="supply_flicker_or_broken_bars", values=AT_LINE),
        replace(OPEN, state="warning", code="rotor_asymmetry", values=FOUND, severity=0.4),
        replace(OPEN, indicators={"strongest_dbc": None}),
        replace(OPEN, indicators={}),
        replace(OPEN, doubts=(reason("slip_from_rated_power", rated_power_w=4e3),)),
    ],
)
def test_only_what_noise_alone_leaves_open_is_decided(d: Diagnosis) -> None:
    assert updates(*[OPEN] * LEAST_RECORDS, d)[-1].decided == [d]


def test_a_cage_that_breaks_ends_soundness_within_three_records() -> None:
    broken = replace(OPEN, indicators={"strongest_dbc": -48.0})
    found = updates(*[OPEN] * (2 * MOST_RECORDS), *[broken] * 3)
    assert [u.decided[0].state for u in (found[-4], found[-1])] == ["normal", "unknown"]


def test_records_of_the_past_change_no_mean() -> None:
    history = updates(*[OPEN] * MOST_RECORDS)[-1].history
    past = update(history, record(3), [LOUD])
    assert past.history.faults["broken_bar"].sidebands == SidebandMean(MOST_RECORDS, -60.0)
    assert past.decided == [LOUD]


def test_a_line_at_the_limit_is_not_called_sound_in_noise() -> None:
    """The mean over eight records of a line at the limit, in noise 4 dB below it."""
    rng = np.random.default_rng(7)
    called = 0
    for _ in range(2_000):
        noise = rng.normal(size=(LEAST_RECORDS, 2)) @ [1, 1j] * 10 ** (-4 / 20) / np.sqrt(2)
        mean = None
        for level in np.abs(1 + noise):
            dbc = float(-54 + 20 * np.log10(level))
            mean, d = decided_by_mean(mean, replace(OPEN, indicators={"strongest_dbc": dbc}))
        called += d.state == "normal"
    assert called <= 0.01 * 2_000


def test_answers_say_the_same_as_diagnoses() -> None:
    answer = Answer(
        OPEN.fault, OPEN.state, OPEN.code, OPEN.values, (), OPEN.reason, *[None] * 4,
        OPEN.indicators, (),
    )  # fmt: skip
    for mean in (SidebandMean(20, -60.0), SidebandMean(20, -50.0)):
        (one, a), (other, d) = decided_by_mean(mean, answer), decided_by_mean(mean, OPEN)
        assert one == other
        shared = ("state", "code", "values", "doubts", "severity", "reason")
        assert [getattr(a, n) for n in shared] == [getattr(d, n) for n in shared]
