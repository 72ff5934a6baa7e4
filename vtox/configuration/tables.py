"""Settings that are tables: `keep` says how long what is kept, `quota` what may be sent.

A row is set by `VTOX_KEEP__RESULTS="90d, 40MB"` in the environment, or `keep.results` in TOML.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from vtox.configuration.values import KeptFor, Limit, Row, SendLimit

HOUR_S, DAY_S = 3600.0, 86400.0


class Keep(BaseModel):
    """How long what is kept, and up to which size. A row may give one of both."""

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
    """What senders may send, in windows and megabytes a second."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_key: Limit = Field(SendLimit(200, 50), description="with one API key, over HTTP")
    api_machine: Limit = Field(SendLimit(50, 25), description="of one machine, over HTTP")
    stream_machine: Limit = Field(
        SendLimit(), description="of one machine, as the bridge admits them from the stream"
    )
