"""Starts that are kept: put together from the records that show them, in any order."""

from functools import cache

import numpy as np
import pytest

import vtox
from evaluation.motor_model.case import Case, ShaftLoad
from evaluation.motor_model.plants import PLANTS
from evaluation.motor_model.start_case import Start, StartCase
from evaluation.motor_model.start_records import start_records
from tests.integration.reporting.history.entries import add
from tests.integration.reporting.history.test_energy import STOP, read_history
from tests.naive_entries import counts_text, encode_result
from vtox.motor.diagnosis.diagnosers.current.motor_start import motor_start
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Motor, Recording
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream.entries import Result
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.history.starts import MotorStart, most_in_an_hour, starts

PLANT = PLANTS["2kw2"]
FS_HZ = 2500.0
WHOLE_S = 4
INERTIA = 30.0
MOTOR = Motor(pole_pairs=PLANT.pole_pairs, supply_hz=PLANT.supply_hz, rated_current_a=5.0)
T_S = 1_764_000_000.0


@cache
def start_of(inertia: float) -> dict[str, np.ndarray]:
    """Return currents and voltages of a start that takes longer than a record."""
    case = StartCase(
        case=Case(plant=PLANT, load=ShaftLoad(torque=0.5, quadratic=1.0, inertia=inertia)),
        start=Start(at_s=0.4),
    )
    (record,) = start_records([case], WHOLE_S, FS_HZ)
    return {c: record.channels[c] for c in (*CURRENTS, *VOLTAGES)}


def result_of(x: dict[str, np.ndarray], second: int) -> list[str | bytes]:
    """Return the entry that the record of one second leads to."""
    part = slice(round(second * FS_HZ), round((second + 1) * FS_HZ))
    (found,) = vtox.diagnose(
        Recording({n: c[part] for n, c in x.items()}, FS_HZ), MOTOR, faults="turn_short"
    )
    texts, _ = encode_result(
        Result(
            machine_id="M1",
            fault="turn_short",
            family="turn_short",
            first_seq=second,
            last_seq=second,
            t_start=T_S + second,
            t_end=T_S + second + 1,
            state=found.state,
            code=found.code,
            values=found.values,
        )
    )
    return [*texts, "energy", counts_text(())]  # type: ignore[arg-type]


def test_a_start_over_several_records_is_that_of_the_whole(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    x = start_of(INERTIA)
    for second in (2, 0, 3, 1):
        add(client, keys.RESULTS, result_of(x, second))
        recorder.record(STOP)
    (found,) = read_history(settings, lambda db: starts(db, "M1", T_S, T_S + 60))
    whole = motor_start(Recording(x, FS_HZ), MOTOR)
    assert whole is not None
    assert whole.duration_s is not None
    assert found.duration_s is not None
    assert found.duration_s > 1.6
    assert found.t == pytest.approx(T_S + 0.4, abs=0.01)
    assert found.duration_s == pytest.approx(whole.duration_s, rel=0.1)
    assert found.inrush_a == pytest.approx(whole.inrush_a, rel=0.01)
    assert found.peak_a == pytest.approx(whole.peak_a, rel=0.01)
    assert found.mean_a == pytest.approx(whole.mean_a, rel=0.05)
    assert found.dip_ratio == pytest.approx(whole.dip, abs=0.01)
    assert found.energy_j == pytest.approx(whole.energy_j, rel=0.05)
    # Energy into the motor until then, by its own voltages and currents.
    first, last = round(0.4 * FS_HZ), round((0.4 + found.duration_s) * FS_HZ)
    watts = sum(x[i].astype(float) * x[v] for i, v in zip(CURRENTS, VOLTAGES, strict=True))
    assert found.energy_j == pytest.approx(watts[first:last].sum() / FS_HZ, rel=0.05)


def test_what_another_program_wrote_is_no_start(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    good = result_of(start_of(INERTIA), 0)
    detail = good.index("detail") + 1
    of_values = ('{"on_s": 1e300}', '{"on_s": -5}', '{"on_s": 0, "duration_s": -1}', "[]")
    texts = [f'{{"values": {v}}}' for v in of_values] + ["[]", "{}", "{"]
    for k, text in enumerate(texts):
        entry = [*good[:detail], text, *good[detail + 1 :]]
        seq = entry.index("first_seq") + 1
        entry[seq] = entry[entry.index("last_seq") + 1] = str(k + 10)
        add(client, keys.RESULTS, entry)
    assert recorder.record(STOP) == len(texts)
    assert read_history(settings, lambda db: starts(db, "M1", 0, server_time(client))) == []


def test_starts_in_an_hour_are_those_of_any_hour() -> None:
    at = [MotorStart(t, 1.0, *[None] * 7) for t in (0.0, 3000.0, 3599.0, 6000.0, 6500.0, 9000.0)]
    assert most_in_an_hour(at) == 4
    assert most_in_an_hour([]) == 0
