"""Compares the alerts of the demo with the faults of its machines. Pure: alerts in, counts out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.faults import FAULTS
from vtox.motor.simulator.fleet import SimulatedMachine


def fleet_summary(machines: Sequence[SimulatedMachine]) -> str:
    """Return how many machines there are, how many are faulty, and how many are detectable."""
    faulty = [m for m in machines if m.fault]
    undetectable = sum(not m.detectable for m in faulty)
    text = f"{len(machines)} machines, {len(faulty)} of them faulty"
    if not undetectable:
        return text
    return f"{text} ({undetectable} not detectable from the signals they send)"


def latest(alerts: Iterable[Alert], n: int) -> list[Alert]:
    """Return the last `n` alerts to arrive, in the order of their times."""
    return sorted(list(alerts)[-n:], key=lambda a: a.t)


# The events that find a fault.
FOUND = ("raised", "escalated")


@dataclass(slots=True)
class Score:
    """Detected faults and false alarms as (machine id, fault)."""

    machines: Sequence[SimulatedMachine]
    detected: set[tuple[str, str]] = field(default_factory=set)
    false_alarms: set[tuple[str, str]] = field(default_factory=set)

    def add(self, alert: Alert) -> None:
        """Count an alert; alerts that are not about a fault (silence, clock) are ignored."""
        truth = {m.machine_id: m.fault for m in self.machines}
        if alert.fault not in FAULTS or alert.machine_id not in truth or alert.event not in FOUND:
            return
        case = (alert.machine_id, alert.fault)
        if truth[alert.machine_id] == alert.fault:
            self.detected.add(case)
        else:
            self.false_alarms.add(case)

    def by_fault(self) -> dict[str, tuple[int, int]]:
        """Return fault -> number of machines detected, number of machines detectable."""
        return {
            fault: (sum((m, fault) in self.detected for m in machines), len(machines))
            for fault in FAULTS
            if (machines := self._detectable(fault))
        }

    def missed(self) -> list[tuple[str, str]]:
        """Return the machines whose fault is detectable and not detected yet."""
        return [
            (m, fault)
            for fault in FAULTS
            for m in self._detectable(fault)
            if (m, fault) not in self.detected
        ]

    def _detectable(self, fault: str) -> list[str]:
        return [m.machine_id for m in self.machines if m.fault == fault and m.detectable]
