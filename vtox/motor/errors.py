"""The errors that VTOX raises on purpose. They are one tree, of which these are the trunk.

::

    VtoxError
    ├── InputError          input from a user or a sender is wrong
    │   ├── WireError           a stream entry, or JSON, is not a window
    │   ├── NameplateError      a nameplate or bearing is impossible
    │   ├── SensitivityError    a sensitivity is impossible
    │   ├── ChannelMapError     a channel map is impossible
    │   ├── RecordingError      a recording is inconsistent
    │   │   └── FileError           a file is no recording, or one that cannot be understood
    │   ├── BaselineError       a stored baseline cannot be read
    │   └── SpectrumError       a recording has no such spectrum
    └── SystemStateError    the system is not in the state that the request needs
        └── AlarmRefused        an alarm is in no state for the request of an operator

`vtox.pipeline.errors` has the errors of servers and settings, the rooms of reporting have the rest.
"""

from typing import Any


def remedy_of_extra(extra: str) -> str:
    """Return how to install an extra, for code that does not know where VTOX came from."""
    return f"run `make setup EXTRAS={extra}` in the checkout, or install the wheel with [{extra}]"


class VtoxError(Exception):
    """Something VTOX can explain went wrong: `observed` is the error, `remedy` the way to fix it.

    The text of the error is both.
    """

    def __init__(self, observed: str = "", *, remedy: str = "") -> None:
        super().__init__(f"{observed}: {remedy}" if remedy else observed)
        self.observed = observed
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors pass between processes whatever their class asks for when it is made."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[VtoxError], args: tuple[Any, ...], facts: dict[str, Any]) -> VtoxError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error


class InputError(VtoxError, ValueError):
    """Input from a user or a sender is wrong; also a `ValueError`, as Python callers expect.

    `field` names the part of the input that is at fault, if it is only a part.
    """

    def __init__(self, observed: str = "", field: str = "", *, remedy: str = "") -> None:
        super().__init__(observed, remedy=remedy)
        self.field = field


class CodedInputError(InputError):
    """Wrong input whose kind has a `code`."""

    def __init__(self, code: str, observed: str, field: str = "", *, remedy: str = "") -> None:
        super().__init__(observed, field, remedy=remedy)
        self.code = code


class WireError(CodedInputError):
    """A stream entry is not a window, or JSON is none.

    `code` is one of `WIRE_CODES` or `JSON_CODES`, `field` the field at fault.
    """


class NameplateError(InputError):
    """A nameplate or bearing value is impossible; `field` names it."""


class SensitivityError(InputError):
    """A sensitivity is impossible; `field` names the fault and its field."""


class ChannelMapError(InputError):
    """A channel map is impossible; `field` names the channel and its field."""


class RecordingError(InputError):
    """A recording is inconsistent."""


# Errors of a file.
FILE_CODES = (
    "no_such_file",
    "unknown_format",  # neither its content nor its name shows its format
    "wrong_content",  # its content is not of the format of its name
    "damaged",
    "too_large",
    "pickled",  # it holds Python objects, which could run code
    "reader_missing",  # the library that reads it is not installed
    "not_a_number",
    "not_finite",
    "unequal_lengths",
    "no_samples",
    "no_channel",
    "no_such_column",
    "ambiguous_channel",
    "wrong_unit",
    "no_rate",
    "uneven_time",
    "impossible_option",
)


class FileError(RecordingError):
    """A file is no recording, or one that cannot be understood; `code` is one of `FILE_CODES`.

    `path` is the file, empty if an option is at fault, and `channel` the channel or column.
    """

    def __init__(
        self, code: str, path: object, observed: str, *, channel: str = "", remedy: str = ""
    ) -> None:
        super().__init__(f"{path}: {observed}" if path else observed, remedy=remedy)
        self.code = code
        self.path = path
        self.channel = channel


class BaselineError(InputError):
    """A stored baseline cannot be read."""


class SpectrumError(CodedInputError):
    """A recording has no such spectrum; `code` says why, `field` names the parameter at fault."""


class SystemStateError(VtoxError):
    """The system is not in the state that the request needs."""


class AlarmRefused(SystemStateError):
    """An alarm, or a machine's service, is in no state for the request of an operator.

    `code` is `already_acknowledged`, `already_assigned`, `already_closed`, `already_ungrouped`,
    `suspended`, `not_active`, `not_shelved`, `already_out_of_service`, `in_service`,
    `too_many_work_orders` or `count_changed`.
    """

    def __init__(self, code: str, observed: str) -> None:
        super().__init__(observed)
        self.code = code
