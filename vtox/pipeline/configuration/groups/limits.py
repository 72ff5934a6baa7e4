"""The limits of senders: machines, rates and sizes."""

from pydantic import BaseModel, Field

from vtox.pipeline.configuration.tables import SendLimits


class LimitSettings(BaseModel):
    """Machines, and the limits of one machine or API key."""

    max_machines: int = Field(
        10_000,
        ge=1,
        description="windows of further machines are refused until one is retired",
        json_schema_extra={"when": "the fleet is larger, or smaller and ids must not multiply"},
    )
    metrics_machines: int = Field(
        0,
        ge=0,
        le=2000,
        description="machines that `/metrics` lists one by one, the first by name; 0: none",
        json_schema_extra={"when": "Prometheus shows machines; each adds some six series to it"},
    )
    quota: SendLimits = Field(
        SendLimits(),
        description="windows and megabytes a second of one API key or machine (table)",
        json_schema_extra={"when": "a gateway sends faster, or senders cannot be trusted"},
    )
    max_window_bytes: int = Field(
        8 << 20,
        ge=1024,
        description="larger windows are refused",
        json_schema_extra={"when": "senders have longer windows or more channels"},
    )
