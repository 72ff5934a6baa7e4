"""Errors of a reader of the HTTP API."""

from vtox.motor.errors import SystemStateError


class StatusApiError(SystemStateError):
    """The HTTP status API does not answer (`unreachable`), or refuses with the `code` given."""

    def __init__(self, observed: str, *, code: str, remedy: str = "") -> None:
        super().__init__(observed, remedy=remedy)
        self.code = code
