"""How much of one machine is admitted: a quota on the times at which its windows came. Pure.

It uses the time of arrival, not of reading: windows that waited while the bridge was away are no
flood.
"""

from dataclasses import dataclass, field

from vtox.pipeline.store.ledger.quotas import BURST_S
from vtox.pipeline.windows.wire import Header


@dataclass(slots=True)
class ArrivalQuota:
    """Windows and bytes a second of each machine, 0 for no limit, of `BURST_S` in advance.

    `debts` keeps for each machine until when its windows, and its bytes, use up the allowance.
    """

    windows_per_s: float
    bytes_per_s: float
    debts: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def limits(self) -> bool:
        """Whether there is a quota."""
        return bool(self.windows_per_s or self.bytes_per_s)

    def charge(self, h: Header, arrived_t: float) -> bool:
        """Charge a window and return True, or return False if the quota is exceeded."""
        if not self.limits:
            return True
        windows, size = (max(t, arrived_t) for t in self.debts.get(h.machine_id, (0.0, 0.0)))
        if max(windows, size) - arrived_t > BURST_S:
            return False
        if self.windows_per_s:
            windows += 1 / self.windows_per_s
        if self.bytes_per_s:
            size += h.nbytes / self.bytes_per_s
        self.debts[h.machine_id] = windows, size
        return True

    def forget(self, machine_id: str) -> None:
        """Forget a machine that is silent."""
        self.debts.pop(machine_id, None)
