"""What the demo has found against what was injected. Pure: alerts in, counts out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from vtox.faults import FAULTS
from vtox.health import Alert
from vtox.simulator.fleet import Machine


def counted(machines: Sequence[Machine]) -> str:
    """Return how many machines there are, how many are faulty, and how many can show it."""
    faulty = [m for m in machines if m.fault]
    hidden = sum(not m.detectable for m in faulty)
    text = f"{len(machines)} machines, {len(faulty)} of them faulty"
    if not hidden:
        return text
    return f"{text}: {len(faulty) - hidden} can be found, {hidden} not from the signals they send"


def latest(alerts: Iterable[Alert], most: int) -> list[Alert]:
    """Return the last alerts to come in, by their own time: that of a long record comes late."""
    return sorted(list(alerts)[-most:], key=lambda a: a.t)


@dataclass(slots=True)
class Score:
    """Keeps who was found and who was accused wrongly."""

    machines: Sequence[Machine]
    found: set[tuple[str, str]] = field(default_factory=set)
    false: dict[tuple[str, str], Alert] = field(default_factory=dict)

    def take(self, alert: Alert) -> None:
        """Count an alert; those that are not about a fault (silence, clock) do not count."""
        truth = {m.machine_id: m.fault for m in self.machines}
        if alert.fault not in FAULTS or alert.machine_id not in truth or alert.event == "cleared":
            return
        case = (alert.machine_id, alert.fault)
        if truth[alert.machine_id] == alert.fault:
            self.found.add(case)
        else:
            self.false.setdefault(case, alert)

    def by_fault(self) -> dict[str, tuple[int, int]]:
        """Return fault -> machines found, machines that have it so that it can be seen."""
        return {
            fault: (sum((m, fault) in self.found for m in of), len(of))
            for fault in FAULTS
            if (of := self._detectable(fault))
        }

    def missing(self) -> list[tuple[str, str]]:
        """Return the machines whose fault can be seen and is not found yet."""
        return [
            (m, fault)
            for fault in FAULTS
            for m in self._detectable(fault)
            if (m, fault) not in self.found
        ]

    def _detectable(self, fault: str) -> list[str]:
        return [m.machine_id for m in self.machines if m.fault == fault and m.detectable]
