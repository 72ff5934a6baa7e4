"""A worker asks the other machines of a feeder before an asymmetry becomes an alert."""

from dataclasses import replace

from tests.unit.motor.alarms.health.test_update import record
from vtox.motor.values.domain import Answer, Diagnosis, Motor, Reason, Record
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.entries import encode_results
from workers.feeders import FAULT, Feeders

MOTOR = Motor(rated_current_a=10.0, site="Quarry", feeder="Bus 1")
SHOWN = {"basis": "currents and baseline", "corrected_deg": 30.0, "load_a": 8.0}
FEW = Reason("few_periods_learnt", {"periods": 1, "needed": 5})


def of(machine_id: str, n: int) -> Record:
    return replace(record(n), machine_id=machine_id)


def diagnosis(ratio: float) -> Diagnosis:
    indicators = {**SHOWN, "corrected_ratio": ratio}
    values = {"phase": "a", "excess_ratio": ratio, "basis": SHOWN["basis"]}
    return Diagnosis(
        fault=FAULT, state="warning", code="asymmetry_found", values=values, indicators=indicators
    )


def show(client: Client, machine_id: str, ratio: float, motor: Motor = MOTOR) -> None:
    register(client, machine_id, motor)
    ((_, latest),) = encode_results(FAULT, [(of(machine_id, 3), diagnosis(ratio), "")])
    client.hset(keys.machine(machine_id), f"latest:{FAULT}", latest)


def answered(client: Client, motor: Motor | None = MOTOR) -> list[str]:
    d = diagnosis(0.05)
    known = {f: getattr(d, f) for f in Answer._fields if hasattr(d, f)}
    answer = Answer(**known)._replace(doubts=(FEW,))
    found = Feeders().add_feeder_evidence(client, answer, of("M1", 3), motor)
    return [doubt.code for doubt in found.doubts]


def test_the_feeder_says_whether_the_supply_moves(client: Client) -> None:
    show(client, "M1", 0.05)
    show(client, "M2", 0.04)
    assert answered(client) == ["few_periods_learnt"]  # two machines
    show(client, "M3", 0.001, replace(MOTOR, feeder="Bus 2"))
    show(client, "M4", 0.001, replace(MOTOR, site="Mine"))
    show(client, "M5", 0.001, replace(MOTOR, supply="inverter"))
    assert answered(client) == ["few_periods_learnt"]  # of other feeders
    show(client, "M6", 0.05)
    assert answered(client) == ["few_periods_learnt", "feeder_moves"]
    for m in ("M2", "M6"):
        show(client, m, 0.001)
    assert answered(client) == ["feeder_rests"]
    assert answered(client, replace(MOTOR, feeder=None)) == ["few_periods_learnt"]
