"""Refusals of the API alone."""

from vtox.motor.errors import SystemStateError


class SignInRefused(SystemStateError):
    """A person is not signed in by the provider; `code` is the key of the text on the page."""

    def __init__(self, code: str, observed: str, **values: str) -> None:
        super().__init__(observed)
        self.code = code
        self.values = values
