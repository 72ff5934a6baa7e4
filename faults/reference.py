"""Figures of the box without faults in the same run: all limits of tests are relative to them."""

from dataclasses import dataclass

# In a longer run it is measured again, because the other load on the box changes.
LASTS_S = 600.0
# On a slow box the disturbances of a test are further apart, and the load is smaller, by this
# factor at most.
STRETCH_MAX = 4.0


@dataclass(frozen=True, slots=True)
class Reference:
    """Figures of the test `undisturbed`.

    `slowness` is how many times as long processes take to start as on two idle cores, `progress`
    the share of windows answered before the last one was acknowledged.
    """

    slowness: float = 1.0
    progress: float = 1.0

    @property
    def stretch(self) -> float:
        """How many times as long a test takes."""
        return min(self.slowness, STRETCH_MAX)


IDLE = Reference()
