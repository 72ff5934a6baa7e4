"""Every error that VTOX raises on purpose, as one tree.

::

    VtoxError
    ├── InputError          input from a user or a sender is wrong
    │   ├── WireError           a stream entry, or JSON, is not a window
    │   ├── MappingError        a file of topics of MQTT says nothing usable
    │   ├── NameplateError      a nameplate or bearing is impossible
    │   ├── SensitivityError    a sensitivity is impossible
    │   ├── ChannelMapError     a channel map is impossible
    │   ├── RecordingError      a recording is inconsistent
    │   │   └── FileError           a file is no recording, or one that cannot be understood
    │   ├── BaselineError       a stored baseline cannot be read
    │   ├── ArchiveError        a backup is damaged, or of a later form
    │   ├── SpectrumError       a recording has no such spectrum
    │   ├── ReportError         a report is damaged, or too large to be made
    │   ├── LedgerRowError      a ledger row is damaged or of an unknown version
    │   ├── RulesError          the rules of notification cannot be used
    │   └── SettingsError       a setting has no usable value
    └── SystemStateError    the system is not in the state that the request needs
        ├── ServerUnavailable   no Redis or Valkey server responds
        │   ├── ServerLoading       it is loading its log and will respond then
        │   ├── ServerKilled        a signal ended the embedded server while it started
    │   └── ServerNotTrusted    the certificate of the server, or ours, is refused
        ├── ServerFull          the server refuses windows until it has room
        ├── BrokerRefused       the MQTT broker refuses us
        ├── BrokerUnavailable   Celery's broker does not take or count tasks
        ├── NotOnDisk           a window is not known to be on the server's disk
        ├── NotReplicated       too few replicas are known to have a window
        ├── StatusApiError      the HTTP status API does not answer, or refuses
        ├── HistoryUnavailable  the database of the history cannot be used
        │   └── DiskNearlyFull      it is not written, so that the server's log has the rest
        ├── PortTaken           a port is in use
        ├── NotEmpty            a restore would replace what the system holds
        ├── StillRunning        processes run that must be stopped first
        ├── TooManyMachines     as many machines are known as are allowed
        ├── UnknownMachine      a machine is not known
        ├── SettingChanged      a setting of a machine was changed meanwhile
        ├── SignInRefused       the provider did not sign a person in, or names no role
        ├── TooBusy             as much is computed at once as may be
        ├── AlarmRefused        an alarm is in no state for what an operator wants
        ├── LeaseLost           the lease is lost, another bridge may own the stream
        └── StaleState          what a bridge remembers contradicts the server
"""

from typing import Any


def remedy_of_extra(extra: str) -> str:
    """Return how to install an extra, for code that does not know where VTOX came from."""
    return f"run `make setup EXTRAS={extra}` in the checkout, or install the wheel with [{extra}]"


class VtoxError(Exception):
    """Something VTOX can explain went wrong: `observed` says what, `remedy` what to do about it.

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

    `field` names what is at fault, where a part of the input is.
    """

    def __init__(self, observed: str = "", field: str = "", *, remedy: str = "") -> None:
        super().__init__(observed, remedy=remedy)
        self.field = field


class _CodedInputError(InputError):
    def __init__(self, code: str, observed: str, field: str = "", *, remedy: str = "") -> None:
        super().__init__(observed, field, remedy=remedy)
        self.code = code


class WireError(_CodedInputError):
    """A stream entry is not a window, or JSON is none.

    `code` is one of `WIRE_CODES` or `JSON_CODES`, `field` the field at fault.
    """


class MappingError(InputError):
    """A file of topics of MQTT has no usable value; the error names file, topic and key."""


class NameplateError(InputError):
    """A nameplate or bearing value is impossible; `field` names it."""


class SensitivityError(InputError):
    """A sensitivity is impossible; `field` names the fault and its field."""


class ChannelMapError(InputError):
    """A channel map is impossible; `field` names the channel and its field."""


class RecordingError(InputError):
    """A recording is inconsistent."""


# What is wrong with a file.
FILE_CODES = (
    "no_such_file",
    "unknown_format",  # neither its content nor its name says what it is
    "wrong_content",  # it is not what its name says
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

    `path` is the file, empty where an option is at fault, and `channel` the channel or column.
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


class ArchiveError(_CodedInputError):
    """A backup cannot be restored; `code` is `damaged` or `later_form`."""


class SpectrumError(_CodedInputError):
    """A recording has no such spectrum; `code` says why, `field` names the parameter at fault."""


class ReportError(InputError):
    """A report cannot be made or read.

    `code` is `not_a_report`, `damaged`, `later_form`, `too_large` or `nothing_kept`; `part` names
    what is damaged.
    """

    def __init__(self, code: str, observed: str, *, part: str = "", remedy: str = "") -> None:
        super().__init__(observed, remedy=remedy)
        self.code = code
        self.part = part


class LedgerRowError(_CodedInputError):
    """A ledger row cannot be read; `code` is `damaged_row` or `unknown_version`."""


class RulesError(InputError):
    """The file of notification cannot be read, or its rules or secrets cannot be used."""


class SettingsError(InputError):
    """A setting has no usable value."""


class SystemStateError(VtoxError):
    """The system is not in the state that the request needs."""


class ServerUnavailable(SystemStateError):
    """No Redis or Valkey server responds."""


class ServerLoading(ServerUnavailable):
    """The server is loading its log, and takes commands once it has."""


class ServerKilled(ServerUnavailable):
    """A signal ended the embedded server while it started: another start may be of use."""


class ServerNotTrusted(ServerUnavailable):
    """TLS fails: the certificate of the server, or ours, is refused."""


class ServerFull(SystemStateError):
    """The server has no memory or disk for windows; `waiting` of a sender are not sent."""

    def __init__(self, waiting: int) -> None:
        super().__init__(
            f"the server refuses windows for want of memory or disk, {waiting} are waiting",
            remedy="it takes them again once the workers have finished others: try again later",
        )
        self.waiting = waiting


class BrokerRefused(SystemStateError):
    """The MQTT broker refuses us, and would refuse us again."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(
            f"the MQTT broker at {where} refuses us: {why}",
            remedy="check VTOX_MQTT_URL, its ssl_ca_certs, and the rights that the broker gives",
        )


class BrokerUnavailable(SystemStateError):
    """Celery's broker does not take or count tasks."""


class StatusApiError(SystemStateError):
    """The HTTP status API does not answer (`unreachable`), or refuses with the `code` given."""

    def __init__(self, observed: str, *, code: str, remedy: str = "") -> None:
        super().__init__(observed, remedy=remedy)
        self.code = code


class NotOnDisk(SystemStateError):
    """A window is not known to be on the server's disk."""


class NotReplicated(SystemStateError):
    """Too few replicas of the server are known to have a window."""


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


class PortTaken(SystemStateError):
    """A port that must be bound is in use."""


class NotEmpty(SystemStateError):
    """A restore would replace what the system holds."""


class StillRunning(SystemStateError):
    """Processes of the system run that must be stopped first."""


class UnknownMachine(SystemStateError):
    """A machine is not known: it was never registered and has not sent, or was retired."""

    def __init__(self, machine_id: str) -> None:
        super().__init__(
            f"machine {machine_id!r} is not known", remedy="register it, or send a window of it"
        )


class SettingChanged(SystemStateError):
    """A setting of a machine was changed meanwhile; `version` is the present one."""

    def __init__(self, field: str, version: int) -> None:
        super().__init__(
            f"the {field} was changed meanwhile, and is of version {version} now",
            remedy="read it again",
        )
        self.version = version


class TooManyMachines(SystemStateError):
    """As many machines are known as `VTOX_MAX_MACHINES` allows."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"there are {limit} machines already, and this one is new",
            remedy="retire machines that are gone, or raise VTOX_MAX_MACHINES",
        )


class TooManyScalars(SystemStateError):
    """A machine has as many names of scalars as it may have, and `name` is a new one."""

    def __init__(self, machine_id: str, name: str, unit: str, limit: int) -> None:
        super().__init__(
            f"{machine_id} has {limit} names of scalars already, and {name} in {unit} is new",
            remedy="send under the names that there are; retiring the machine frees them",
        )


class AlarmRefused(SystemStateError):
    """An alarm, or a machine's service, is in no state for what an operator wants.

    `code` is `already_acknowledged`, `already_assigned`, `already_closed`, `already_ungrouped`,
    `suspended`, `not_active`, `not_shelved`, `already_out_of_service`, `in_service`,
    `too_many_work_orders` or `count_changed`.
    """

    def __init__(self, code: str, observed: str) -> None:
        super().__init__(observed)
        self.code = code


class SignInRefused(SystemStateError):
    """A person is not signed in by the provider; `code` is the key of the text on the page."""

    def __init__(self, code: str, observed: str, **values: str) -> None:
        super().__init__(observed)
        self.code = code
        self.values = values


class TooBusy(SystemStateError):
    """As much is computed at once as may be."""


class LeaseLost(SystemStateError):
    """The lease ran out or is another's: another bridge may have owned the stream since."""


class StaleState(SystemStateError):
    """What a bridge remembers contradicts the server; it must rebuild its records."""
