"""Errors of a report."""

from vtox.motor.errors import InputError


class ReportError(InputError):
    """A report cannot be made or read.

    `code` is `not_a_report`, `damaged`, `later_form`, `too_large` or `nothing_kept`; `part` names
    the damaged part.
    """

    def __init__(self, code: str, observed: str, *, part: str = "", remedy: str = "") -> None:
        super().__init__(observed, remedy=remedy)
        self.code = code
        self.part = part
