"""The fault registry: which faults exist, which family (queue) owns each, and what a family needs.

Everything that names a fault, a queue or a Celery task reads it from here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """One queue: the faults diagnosed there and the length of the records they need."""

    name: str
    faults: tuple[str, ...]
    record_s: float
    # (k, n, clear): an alert needs k of the last n decided slots, and clears after `clear` normal
    # ones (`vtox.health`).
    persistence: tuple[int, int, int]
    # Length of a slot where the diagnoser reports episodes inside a record; None: one per record.
    slot_s: float | None = None

    @property
    def queue(self) -> str:
        """Name of the Celery queue."""
        return self.name

    @property
    def task(self) -> str:
        """Name of the Celery task."""
        return f"vtox.{self.name}"


# Record lengths: a turn short shows within cycles of the supply; a bearing needs tens of shaft
# turns; the broken-bar sidebands lie 2*s*f from the supply line, 1 Hz at 1 % slip and 50 Hz, and
# need ten bins of distance (docs/ARCHITECTURE.md, "Records").
FAMILIES: dict[str, Family] = {
    f.name: f
    for f in (
        Family("turn_short", ("turn_short", "insulation"), 1.0, (3, 5, 5), slot_s=None),
        Family("bearing", ("bearing", "eccentricity"), 1.0, (3, 5, 5)),
        Family("broken_bar", ("broken_bar",), 10.0, (2, 3, 3)),
    )
}

FAULTS: dict[str, Family] = {fault: f for f in FAMILIES.values() for fault in f.faults}
