"""A machine that is retired leaves nothing raised."""

from tests.integration.helpers import T0, add_window, bridging, counters, eventually
from tests.unit.motor.alarms.health.test_update import RECORDS_ALONE
from vtox.motor.alarms.health.update import MachineHistory, update
from vtox.motor.faults import FAMILIES, PERSISTENCE
from vtox.motor.values import codec
from vtox.motor.values.domain import Diagnosis, Motor, Record, reason
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.flags import FLAGS, set_flag
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client


def with_open_alert(client: Client, machine_id: str, fault: str) -> str:
    """Keep the memory of a machine with a fault as a worker does; return the alert's id."""
    history = MachineHistory()
    for i in range(PERSISTENCE[fault].n):
        record = Record(
            machine_id=machine_id,
            run="",
            first_seq=i,
            last_seq=i,
            t_start=T0 + i,
            t_end=T0 + i + 1,
            ids="1-0",
            windows=1,
            bytes=1,
        )
        found = Diagnosis(fault=fault, state="fault", code="it_shows", severity=0.5)
        quiet = Diagnosis(fault="broken_bar", state="normal")
        history = update(history, record, [found, quiet], rules=RECORDS_ALONE).history
    client.hset(keys.machine(machine_id), "memory", codec.encode(history))
    client.sadd(keys.OPEN_ALERTS, f"{machine_id}|{fault}")
    return history.faults[fault].alert


def cleared(client: Client) -> dict[str, dict[bytes, bytes]]:
    """Fault -> entry of those alerts that were cleared."""
    entries = [fields for _, fields in client.xrange(keys.ALERTS)]
    return {f[b"fault"].decode(): f for f in entries if f[b"event"] == b"cleared"}


def test_retiring_clears_open_alerts_with_their_ids(client: Client) -> None:
    machines.register(client, "M1", Motor())
    alert = with_open_alert(client, "M1", "bearing")
    for flag, code in FLAGS.items():
        set_flag(client, "M1", flag, True, reason(code))
    raised = {f[b"fault"].decode(): f[b"id"] for _, f in client.xrange(keys.ALERTS)}
    assert machines.retire(client, "M1")
    found = cleared(client)
    assert {name: f[b"id"] for name, f in found.items()} == raised | {"bearing": alert.encode()}
    assert {f[b"code"] for f in found.values()} == {b"machine_retired"}
    assert found["bearing"][b"level"] == b"fault"
    assert found["bearing"][b"machine_id"] == b"M1"
    assert client.exists(keys.machine("M1")) == 0


def test_a_machine_without_alerts_retires_quietly(client: Client) -> None:
    machines.register(client, "M1", Motor())
    machines.register(client, "M2", Motor())
    with_open_alert(client, "M2", "bearing")
    assert machines.retire(client, "M1")
    assert not machines.retire(client, "M1")
    assert client.xlen(keys.ALERTS) == 0
    assert list(machines.last_arrivals(client)) == ["M2"]


def test_no_flag_is_raised_for_a_machine_retired_meanwhile(client: Client) -> None:
    machines.register(client, "M1", Motor())
    assert machines.retire(client, "M1")
    assert not set_flag(client, "M1", "silent", True, reason("machine_silent"))
    assert not client.exists(keys.machine("M1"), keys.ALERTS)


def test_a_retired_machine_that_sends_again_is_new(client: Client, settings: Settings) -> None:
    def sends(seq: int) -> None:
        add_window(client, "M1", seq, vehicle_id="van-7")
        eventually(lambda: "M1" in machines.last_arrivals(client))
        eventually(lambda: client.hget(keys.machine("M1"), "vehicle_id") == b"van-7")
        eventually(lambda: client.hexists(keys.machine("M1"), "clock"))

    with bridging(settings):
        sends(0)  # its t0 is that of the tests, far from now
        assert machines.retire(client, "M1")
        assert set(cleared(client)) == {"clock"}
        sends(1)
    assert [f[b"event"] for _, f in client.xrange(keys.ALERTS)] == [
        b"raised",
        b"cleared",
        b"raised",
    ]


def test_a_bridge_that_starts_again_brings_no_retired_machine_back(
    client: Client, settings: Settings
) -> None:
    with bridging(settings) as sent:
        add_window(client, "M1", 0)
        eventually(lambda: len(sent) == len(FAMILIES))
        assert machines.retire(client, "M1")
    with bridging(settings):
        add_window(client, "M2", 0)
        eventually(lambda: "M2" in machines.last_arrivals(client))
    assert list(machines.last_arrivals(client)) == ["M2"]
    assert counters(client)["windows_in"] == 2
