"""The number of windows that the bridge asks for in one read. Pure.

A reply above the server's output limit of a client ends the connection, and no bridge knows the
size of a window before it is read. So reads begin small after any doubt, and after a read that was
cut off the next ones stay smaller for a while.
"""

from dataclasses import dataclass

# Bytes of windows in one read: larger replies fall out of the cache (docs/adr/0003).
READ_BYTES = 2 << 20
MAX_READ_WINDOWS = 512


@dataclass(slots=True)
class ReadSize:
    """`asked` is the number of windows of the read that has no reply yet, 0 between reads."""

    ramp: int = 1
    ceiling: int = MAX_READ_WINDOWS
    asked: int = 0

    def ask(self, most: int, mean_bytes: int) -> int:
        """Return the number of windows to ask for, `most` at most, if they have `mean_bytes`."""
        usual = max(READ_BYTES // mean_bytes, 1)
        self.asked = min(most, usual, self.ramp, self.ceiling)
        return self.asked

    def succeed(self) -> None:
        """Let the next read be larger."""
        self.asked = 0
        self.ramp = min(2 * self.ramp, MAX_READ_WINDOWS)

    def fail(self) -> None:
        """Begin again; if a read was cut off, stay below its size."""
        if self.asked:
            self.ceiling = max(1, self.asked // 2)
        self.asked, self.ramp = 0, 1

    def relax(self) -> None:
        """Allow larger reads again, some time after one was cut off."""
        self.ceiling = min(2 * self.ceiling, MAX_READ_WINDOWS)
