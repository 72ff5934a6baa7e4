"""What the box does without faults in the same run: the limits of all tests are relative to it."""

from dataclasses import dataclass

# Of a longer run it is measured again: what else runs on the box changes.
LASTS_S = 600.0
# On a slow box the disturbances of a test are further apart, and the load is smaller; at most so
# many times.
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
