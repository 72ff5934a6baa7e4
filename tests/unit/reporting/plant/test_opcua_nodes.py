"""Values of machines in OPC UA: unknown values are no number; NE 107 is that of OPC 10000-100."""

import pytest

pytest.importorskip("asyncua", reason="asyncua is not installed: make setup EXTRAS=opcua")
from asyncua import ua

from vtox.motor.alarms.health.alert_values import Seen
from vtox.motor.alarms.health.assessment import Assessment, FaultAssessment
from vtox.motor.alarms.ne107 import STATUSES
from vtox.motor.values.energy import MeterCounts, MeterReading
from vtox.pipeline.store.machines.energy import Meter
from vtox.pipeline.store.machines.fleet import FleetMachine
from vtox.reporting.plant.opcua.nodes import (
    DEVICE_HEALTH,
    energy_values,
    nameplate_values,
    state_values,
)


def test_each_status_has_a_number_of_its_own() -> None:
    assert sorted(DEVICE_HEALTH[s] for s in STATUSES) == [0, 1, 2, 3, 4]


def test_a_warning_asks_for_maintenance() -> None:
    health = Assessment(0.0, 60.0, "warning", {"bearing": FaultAssessment("warning")})
    found = state_values(FleetMachine("M1", "", "Hall 2", "", health), silent=False)
    values = {n: q.value for n, q in found.items()}
    assert (values["DeviceHealth"], values["NE107Fault"]) == (4, "bearing")
    assert (values["Faults/bearing"], values["Faults/broken_bar"]) == ("warning", "unknown")


def test_faults_that_are_only_seen_have_a_variable_and_the_status_stays() -> None:
    seen = Seen(level="warning", t=1.0, shown=1, judged=1, days=3, of_days=4)
    faults = {n: FaultAssessment("normal", seen=seen) for n in ("bearing", "broken_bar")}
    health = Assessment(0.0, 100.0, "normal", faults | {"eccentricity": FaultAssessment("normal")})
    found = state_values(FleetMachine("M1", "", "", "", health), silent=False)
    assert found["Seen"].value == "bearing; broken_bar"
    assert (found["State"].value, found["DeviceHealth"].value) == ("normal", 0)


def test_what_is_not_known_has_a_bad_status() -> None:
    found = state_values(FleetMachine("M1", "", "", "", None), silent=True)
    status = found["Health"].data_value().StatusCode
    assert status.value == ua.StatusCodes.BadNoData
    assert all(q.value is None for q in energy_values(Meter()).values())


def test_energy_is_counted_in_kwh() -> None:
    reading = MeterReading({"active_w": 2000.0}, MeterCounts())
    counts = MeterCounts(powered_ms=1, energy_j=7_200_000)
    found = energy_values(Meter(counts, 5.0, reading, 6.0))
    assert (found["Energy_kWh"].value, found["ActivePower_W"].value) == (2.0, 2000.0)


def test_energy_that_is_not_measured_has_a_bad_status() -> None:
    currents_alone = Meter(MeterCounts(observed_ms=1000, running_ms=1000), 5.0)
    status = energy_values(currents_alone)["Energy_kWh"].data_value().StatusCode
    assert status.value == ua.StatusCodes.BadNoData


def test_a_nameplate_has_numbers_and_texts() -> None:
    found = nameplate_values(
        {"rated_power_w": 15_000, "supply": "grid", "neighbour_orders": (1.5,)}
    )
    assert [q.value for q in found.values()] == [15_000.0, "grid", "[1.5]"]
