"""What senders may ask for: machines, rates and sizes."""

from pydantic import BaseModel, Field


class LimitSettings(BaseModel):
    """Machines, and what one machine or API key may send."""

    max_machines: int = Field(
        10_000, ge=1, description="windows of further machines are refused until one is retired"
    )
    forget_unregistered_h: float = Field(
        168.0, gt=0, description="machines without nameplate are forgotten after this silence"
    )
    stream_machine_windows_per_s: float = Field(
        0.0, ge=0, description="windows of one machine that the bridge admits; 0: no limit"
    )
    stream_machine_mb_per_s: float = Field(
        0.0, ge=0, description="megabytes of one machine that the bridge admits; 0: no limit"
    )
    api_key_windows_per_s: float = Field(
        200.0, ge=0, description="windows over HTTP with one API key; 0: no limit"
    )
    api_key_mb_per_s: float = Field(
        50.0, ge=0, description="megabytes over HTTP with one API key; 0: no limit"
    )
    api_machine_windows_per_s: float = Field(
        50.0, ge=0, description="windows over HTTP of one machine; 0: no limit"
    )
    api_machine_mb_per_s: float = Field(
        25.0, ge=0, description="megabytes over HTTP of one machine; 0: no limit"
    )
    quota_burst_s: float = Field(
        10.0, gt=0, description="a quota may be exceeded by what it allows in this time"
    )
    max_window_bytes: int = Field(8 << 20, ge=1024, description="larger windows are refused")
    max_samples: int = Field(1_000_000, ge=16, description="longer windows are refused")
