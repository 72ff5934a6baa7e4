"""Every error that VTOX raises on purpose, as one tree.

::

    VtoxError
    ├── InputError          what a user or a sender gave is wrong
    │   ├── WireError           a stream entry is not a window
    │   ├── NameplateError      a nameplate or bearing is impossible
    │   ├── RecordingError      a recording cannot be read or is inconsistent
    │   ├── BaselineError       a stored baseline cannot be read
    │   └── SettingsError       a setting has no usable value
    └── SystemStateError    the system is not in the state that was asked for
        ├── ServerUnavailable   no Redis or Valkey answers
        ├── PortTaken           an address is in use
        ├── LeaseLost           the lease is lost, another bridge may own the stream
        └── StaleState          what a bridge remembers contradicts the server
"""


class VtoxError(Exception):
    """Something VTOX can explain went wrong."""


class InputError(VtoxError, ValueError):
    """What a user or a sender gave is wrong; a `ValueError` too, as callers of Python expect."""


class WireError(InputError):
    """A stream entry is not a window; `code` is one of `WIRE_CODES`, `field` the field at fault."""

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.field = field


class NameplateError(InputError):
    """A nameplate or bearing value is impossible; `field` names it."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class RecordingError(InputError):
    """A recording cannot be read or is inconsistent."""


class BaselineError(InputError):
    """A stored baseline cannot be read."""


class SettingsError(InputError):
    """A setting has no usable value."""


class SystemStateError(VtoxError):
    """The system is not in the state that was asked for."""


class ServerUnavailable(SystemStateError):
    """No Redis or Valkey server answers."""


class PortTaken(SystemStateError):
    """An address that must be bound is in use."""


class LeaseLost(SystemStateError):
    """The lease ran out or is another's: another bridge may have owned the stream since."""


class StaleState(SystemStateError):
    """What a bridge remembers contradicts the server; it must rebuild its records."""
