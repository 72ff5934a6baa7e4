"""Settings that are tables: retention, limits of sending and of alarms, sign-in, costs.

A row is set by `VTOX_KEEP__RESULTS="90d, 40MB"` in the environment, or `keep.results` in TOML.
"""

from typing import Any, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from vtox.pipeline.configuration.prices import Periods, PricePeriods
from vtox.pipeline.configuration.values import KeptFor, Limit, Row, SendLimit

DAY_S = 86400.0


class Keep(BaseModel):
    """How long each stream is kept, and up to which size. A row may give one of both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    windows: Row = Field(KeptFor(60.0), description="finished windows, in the raw stream")
    results: Row = Field(KeptFor(DAY_S, 40.0), description="fault_diagnosis_results")
    assessments: Row = Field(KeptFor(7 * DAY_S, 16.0), description="vehicle_health_assessments")
    alerts: Row = Field(KeptFor(90 * DAY_S, 16.0), description="system_alerts")
    alarm_actions: Row = Field(
        KeptFor(365 * DAY_S, 8.0), description="alarm_actions, what operators did"
    )
    audit: Row = Field(KeptFor(730 * DAY_S, 8.0), description="audit, who changed what")
    metrics: Row = Field(KeptFor(7 * DAY_S, 16.0), description="performance_metrics")
    dead_letters: Row = Field(KeptFor(7 * DAY_S, 64.0), description="dead_letters")
    evidence: Row = Field(
        KeptFor(7 * DAY_S, 64.0), description="waveforms of new warnings and faults"
    )
    unregistered: Row = Field(
        KeptFor(7 * DAY_S), description="machines without nameplate, after they fell silent"
    )
    history_records: Row = Field(KeptFor(DAY_S), description="every record, in the history")
    history_minutes: Row = Field(KeptFor(14 * DAY_S), description="minutes, in the history")
    history_hours: Row = Field(
        KeptFor(730 * DAY_S),
        description="hours, alerts and actions on alarms, in the history",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _parse(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, KeptFor):
            return value
        return KeptFor.parse(str(value), cls.model_fields[str(info.field_name)].default)


class SendLimits(BaseModel):
    """Limits of senders, in windows and megabytes a second."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_key: Limit = Field(SendLimit(200, 50), description="with one API key, over HTTP")
    api_machine: Limit = Field(SendLimit(50, 25), description="of one machine, over HTTP")
    stream_machine: Limit = Field(
        SendLimit(), description="of one machine, as the bridge admits them from the stream"
    )


class EnergyPrice(BaseModel):
    """The price of a kWh, and times of another price."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_kwh: float | None = Field(None, allow_inf_nan=False, description="price of a kWh")
    currency: str = Field("", max_length=8, description="its unit as it is shown, like EUR")
    time_zone: str = Field("UTC", description="of the periods, like Europe/Berlin")
    periods: Periods = Field(
        PricePeriods(),
        description="other prices: `0.16 22:00-06:00; 0.18 sat,sun`, the first that holds counts",
    )

    @property
    def is_known(self) -> bool:
        """Whether energy has a price."""
        return self.per_kwh is not None

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, KeyError, OSError):
            raise ValueError("expected a time zone like Europe/Berlin") from None
        return name


class AlarmLimit(BaseModel):
    """How many alarms the people who handle them can bear."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: int = Field(1, ge=1, description="who handle alarms of a day, all shifts together")
    most: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="alarms a day for each of them, at most"
    )


class Oidc(BaseModel):
    """The provider of OpenID Connect at which people sign in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(
        "", description="its address, from which it is discovered; empty: people use keys"
    )
    client_id: str = Field("", description="the name under which it knows VTOX")
    client_secret: SecretStr = Field(
        SecretStr(""), description="what it gave VTOX to identify itself; empty: a public client"
    )
    claim: str = Field(
        "groups",
        min_length=1,
        description="claim with the roles of a person; `a.b` is `b` inside of `a`",
    )

    @property
    def is_set(self) -> bool:
        """Whether people sign in at a provider."""
        return bool(self.issuer)

    @property
    def host(self) -> str:
        """The provider as people know it: the name in its address."""
        return urlsplit(self.issuer).hostname or ""

    @field_validator("issuer")
    @classmethod
    def _address(cls, issuer: str) -> str:
        if issuer and not is_safe_address(issuer):
            raise ValueError("expected https://..., or http:// and an address of this host")
        return issuer.rstrip("/")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.issuer) != bool(self.client_id):
            raise ValueError("expected both issuer and client_id, or neither")
        return self


def is_safe_address(url: str) -> bool:
    """Whether all that is sent to a URL is protected from others on the way."""
    parts = urlsplit(url)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    return bool(parts.hostname) and parts.scheme in (("http", "https") if local else ("https",))
