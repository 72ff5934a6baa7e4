"""What a backup and its return refuse."""

from vtox.motor.errors import CodedInputError, SystemStateError


class ArchiveError(CodedInputError):
    """A backup cannot be restored; `code` is `damaged` or `later_form`."""


class NotEmpty(SystemStateError):
    """A restore would replace what the system holds."""


class StillRunning(SystemStateError):
    """Processes of the system run that must be stopped first."""
