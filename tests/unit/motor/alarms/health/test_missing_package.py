"""A worker without the package of a fault leaves the alarm of that fault as it is."""

from tests.unit.motor.alarms.health.test_update import record
from vtox.motor.alarms.health.update import MachineHistory, update
from vtox.motor.faults import NOT_INSTALLED, Persistence
from vtox.motor.values.domain import Diagnosis, abstain, reason

FAULT = "of_a_package"


def test_an_alarm_stays_while_a_worker_lacks_the_package() -> None:
    warning = Diagnosis(fault=FAULT, state="warning", code="found", severity=0.4)
    once = {FAULT: Persistence(1, 1, 1)}
    raised = update(MachineHistory(), record(0), [warning], rules=once)
    lacking = abstain(FAULT, reason(NOT_INSTALLED))
    after = update(raised.history, record(1), [lacking], missing=[FAULT])
    assert (after.marks, after.alerts) == ({FAULT: ""}, [])
    assert after.history.faults[FAULT].level == "warning"
    assert after.published is not None
    assert after.published.state == "warning", "as a worker with the package publishes it"
