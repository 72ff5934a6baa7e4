"""Errors of a backup and its restore."""

from vtox.motor.errors import CodedInputError, SystemStateError


class ArchiveError(CodedInputError):
    """A backup cannot be restored; `code` is `damaged` or `later_form`."""


class NotEmpty(SystemStateError):
    """A restore would replace data of the system."""


class StillRunning(SystemStateError):
    """Processes of the system run that must be stopped first."""
