"""The errors that end the way of a window on purpose: servers, brokers, settings, limits."""

from vtox.motor.errors import CodedInputError, InputError, SystemStateError


class MappingError(InputError):
    """A file of topics of MQTT has no usable value; the error names file, topic and key."""


class LedgerRowError(CodedInputError):
    """A ledger row cannot be read; `code` is `damaged_row` or `unknown_version`."""


class RulesError(InputError):
    """The file of notification cannot be read, or its rules or secrets cannot be used."""


class SettingsError(InputError):
    """A setting has no usable value."""


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


class NotOnDisk(SystemStateError):
    """A window is not known to be on the server's disk."""


class NotReplicated(SystemStateError):
    """Too few replicas of the server are known to have a window."""


class PortTaken(SystemStateError):
    """A port that must be bound is in use."""


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


class TooBusy(SystemStateError):
    """As much is computed at once as may be."""


class LeaseLost(SystemStateError):
    """The lease ran out or is another's: another bridge may have owned the stream since."""


class StaleState(SystemStateError):
    """The bridge's memory contradicts the server; it must rebuild its records."""
