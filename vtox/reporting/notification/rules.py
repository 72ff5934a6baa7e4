"""The file of notification: targets, and rules that say which events go to which of them."""

import re
import tomllib
from datetime import time
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from vtox.motor.faults import FAMILIES, FAULTS
from vtox.motor.words.languages import DEFAULT, Language
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.system_limits import AlarmLimits
from vtox.pipeline.errors import RulesError
from vtox.pipeline.store.alarms.flags import FLAGS
from vtox.reporting.notification.events import EventName

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Conditions of the system (docs/reference/alarms.md); those with a queue are written with it.
CONDITIONS = frozenset(
    {
        "backlog",
        "orphans",
        "dead_letters",
        "memory",
        "clocks",
        "stream_ids",
        "deleted_windows",
        "recorder",
        "notifier",
        "opcua_certificate",
        *(f"{name}:{queue}" for name in ("workers", "stalled") for queue in FAMILIES),
        *(
            f"process:{name}"
            for name in (
                "recorder",
                "notifier",
                "mqtt",
                "flower",
                "mcp",
                "opcua",
                "scaler",
                "supervisor",
            )
        ),
    }
)
TARGETS_AT_MOST = 32
_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
# Levels of a topic of MQTT, none of them empty.
_TOPIC = r"^[^+#/$\s][^+#/\s]*(/[^+#/\s]+)*$"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _zone(name: Any) -> Any:
    if isinstance(name, ZoneInfo):
        return name
    try:
        return ZoneInfo(str(name))
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone: expected a name like Europe/Berlin") from None


def _clock(text: Any) -> Any:
    if isinstance(text, time):
        return text
    if not isinstance(text, str) or not _CLOCK.fullmatch(text):
        raise ValueError(f"{text!r}: expected a time of day like 22:00")
    return time.fromisoformat(text)


def _pattern(text: str) -> str:
    if not text.strip():
        raise ValueError("expected a name")
    return text


def _fault(text: str) -> str:
    known = {*FAULTS, *FLAGS, *CONDITIONS}
    if "*" not in text and "?" not in text and text not in known:
        raise ValueError(f"{text!r}: expected one of {', '.join(sorted(known))}, or a pattern")
    return text


def _variable(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise ValueError("expected the name of an environment variable, not the secret itself")
    return text


def _resolve_rules_path(path: Path, info: ValidationInfo) -> Path:
    # The processes of `vtox up` run in their own folder.
    return Path((info.context or {}).get("folder", "."), path).absolute()


Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
Clock = Annotated[time, BeforeValidator(_clock)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Fault = Annotated[str, AfterValidator(_fault)]
Variable = Annotated[str, AfterValidator(_variable)]
Level = Literal["warning", "fault"]
# A month at most: after that the first notice is forgotten, not unanswered.
Minutes = Annotated[float, Field(gt=0, le=43_200)]
File = Annotated[Path, AfterValidator(_resolve_rules_path)]
Network = IPv4Network | IPv6Network


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Target(_Table):
    """Destination of messages. Secrets are in the environment or in files, read at use."""

    kind: Literal["webhook", "apprise", "mqtt"]
    url: str | None = Field(None, max_length=2000)
    url_env: Variable | None = None
    url_file: File | None = None
    secret_env: Variable | tuple[Variable, ...] | None = None
    secret_file: File | tuple[File, ...] | None = None
    networks: tuple[Network, ...] = ()
    ca_file: File | None = None
    prefix: str = Field("vtox", max_length=64, pattern=_TOPIC)
    discovery: str = Field("homeassistant", max_length=64, pattern=f"^$|{_TOPIC}")
    language: Language = DEFAULT
    timeout_s: float = Field(10.0, gt=0, le=60)
    retry_first_s: float = Field(5.0, gt=0, le=3600)
    retry_max_s: float = Field(300.0, gt=0, le=86_400)
    give_up_after_days: float = Field(3.0, gt=0, le=30)

    @property
    def has_human_readers(self) -> bool:
        """Whether people read its messages: chats and e-mail, by apprise."""
        return self.kind == "apprise"

    @model_validator(mode="after")
    def _is_complete(self) -> "Target":
        given = [n for n in ("url", "url_env", "url_file") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError("expected one of url, url_env and url_file")
        if self.kind == "apprise":
            self._check_apprise()
        elif self.kind == "mqtt":
            self._check_mqtt()
            return self
        elif (self.secret_env is None) == (self.secret_file is None):
            raise ValueError("a webhook is signed: expected one of secret_env and secret_file")
        if self.url is not None:
            check_webhook_url(self.url, self)
        return self

    def _check_apprise(self) -> None:
        if self.url is not None:
            raise ValueError("the URL of apprise is a secret: expected url_env or url_file")
        self._check_no_webhook()

    def _check_mqtt(self) -> None:
        self._check_no_webhook()
        if self.url is None:
            return
        parts = urlsplit(self.url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError("url: expected mqtt://host:1883 or mqtts://host:8883")
        if parts.password is not None:
            raise ValueError("a URL with a password is a secret: expected url_env or url_file")

    def _check_no_webhook(self) -> None:
        for name in ("secret_env", "secret_file", "ca_file"):
            if getattr(self, name) is not None:
                raise ValueError(f"{name} is for webhooks")
        if self.networks:
            raise ValueError("networks is for webhooks: others connect where their URL says")


class Quiet(_Table):
    """Hours of the day in which nothing is sent, by the zone of the rule; `days` of its begin."""

    begin: Clock = Field(alias="from")
    end: Clock = Field(alias="to")
    days: frozenset[Day] = frozenset(DAYS)

    @model_validator(mode="after")
    def _is_a_time(self) -> "Quiet":
        if self.begin == self.end:
            raise ValueError("from and to are the same: leave out `targets` to send nothing")
        if not self.days:
            raise ValueError("days: expected one at least")
        return self


class NotificationRule(_Table):
    """The events that go to each target, and when. A missing condition does not restrict."""

    name: str = Field("", max_length=64)
    targets: tuple[str, ...] = Field(min_length=1)
    machines: tuple[Pattern, ...] = ()
    sites: tuple[Pattern, ...] = ()
    assets: tuple[Pattern, ...] = ()
    faults: tuple[Fault, ...] = ()
    levels: frozenset[Level] = frozenset()
    events: frozenset[EventName] = frozenset({"raised", "escalated", "cleared"})
    suspended: bool = False
    unacknowledged_min: dict[Level, Minutes] = {}
    quiet: Quiet | None = None
    digest: Clock | None = None
    zone: Zone | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "NotificationRule":
        if self.quiet and self.digest:
            raise ValueError("quiet and digest in one rule: a digest is sent once a day anyway")
        if self.unacknowledged_min and (self.quiet or self.digest):
            raise ValueError("a second notice has no quiet hours and no digest: it is overdue")
        return self

    @property
    def waits(self) -> bool:
        """Whether it sends later than the event."""
        return bool(self.quiet or self.digest or self.unacknowledged_min)


class Rules(_Table):
    """The whole file."""

    page: str = Field("", max_length=500)
    zone: Zone = ZoneInfo("UTC")
    targets: dict[str, Target] = Field(min_length=1, max_length=TARGETS_AT_MOST)
    rules: tuple[NotificationRule, ...] = Field(min_length=1)
    system_alarms: AlarmLimits = AlarmLimits()  # read by the monitor

    @model_validator(mode="after")
    def _fits_together(self) -> "Rules":
        for name in self.targets:
            if not _NAME.fullmatch(name):
                raise ValueError(f"targets.{name}: expected 1 to 32 of letters, digits, _ and -")
        for i, rule in enumerate(self.rules):
            for name in rule.targets:
                if name not in self.targets:
                    known = ", ".join(self.targets)
                    raise ValueError(f"rules.{i}.targets: {name!r} is none of {known}")
                if self.targets[name].kind == "mqtt" and rule.waits:
                    raise ValueError(
                        f"rules.{i}: {name!r} holds what is now:"
                        " no quiet hours and no digest, nor a second notice"
                    )
        if self.page and urlsplit(self.page).scheme not in ("http", "https"):
            raise ValueError("page: expected the address of the page, https://...")
        return self

    def zone_of(self, rule: NotificationRule) -> ZoneInfo:
        """Return the time zone of a rule."""
        return rule.zone or self.zone


def check_webhook_url(url: str, target: Target) -> str:
    """Return a URL that a webhook may have.

    Raises `ValueError`: it is of another scheme, has a password, or is neither https nor of a
    private network.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise ValueError("url: expected https://host/path")
    if parts.username is not None or parts.password is not None:
        raise ValueError("url: a user or password does not belong there, the signature is enough")
    if parts.scheme == "http" and not target.networks:
        raise ValueError("url: expected https://, or `networks` that the host lies in")
    return url


def read_rules(path: Path) -> Rules:
    """Return the rules of a file.

    Raises `RulesError`: it cannot be read, or says something that is not possible; the error has
    every place.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RulesError(f"{path} cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RulesError(f"{path} is no TOML: {error}") from error
    try:
        return Rules.model_validate(data, context={"folder": path.absolute().parent})
    except ValidationError as error:
        # Not `from error`: its text has every value that was given, and one may be a secret.
        errors = error.errors()
        # If all rules are wrong, none is left: that is no separate mistake.
        own = [e for e in errors if e["type"] != "too_short"] or errors
        raise RulesError("\n".join(f"{path}: {_line(e)}" for e in own)) from None


def read_zone(settings: Settings) -> ZoneInfo:
    """Return the time zone of the site, by the rules; UTC without rules, or if they are wrong."""
    try:
        return read_rules(settings.notify_file).zone if settings.notify_file else ZoneInfo("UTC")
    except RulesError:  # the notifier says so
        return ZoneInfo("UTC")


def _line(error: Any) -> str:
    place = ".".join(str(p) for p in error["loc"] if p not in ("function-after", "tuple"))
    what = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        what = "is not known here"
    return f"{place}: {what}" if place else str(what)
