"""Errors of the database of the history."""

from vtox.motor.errors import SystemStateError


class HistoryUnavailable(SystemStateError):
    """The database of the history does not answer, or is not one that this version can use."""


class DiskNearlyFull(HistoryUnavailable):
    """So little is free on the disk of the history that it is left to the server's log."""

    def __init__(self, folder: object, free_mb: float, needed_mb: float) -> None:
        super().__init__(
            f"{free_mb:.0f} MB are free in {folder}, the history needs {needed_mb:.0f} MB",
            remedy="free space there; the recorder goes on by itself",
        )
        self.free_mb = free_mb
        self.needed_mb = needed_mb
