"""The way of a window: stream, records, batches, and when something is late or doubtful."""

from pydantic import BaseModel, Field

# Bridges look so many streams up, twice a second.
MAX_PARTITIONS = 64


class WindowSettings(BaseModel):
    """What happens to a window until it is diagnosed."""

    stream_partitions: int | None = Field(
        None,
        ge=1,
        le=MAX_PARTITIONS,
        description="partitions of the raw stream; none: as many as there are, 1 at first",
    )
    retention_s: float = Field(
        60.0, ge=0, description="finished windows stay in the raw stream this long"
    )
    in_flight_windows: int = Field(
        4096, ge=1, description="windows in flight per fault family, at most"
    )
    in_flight_bytes: int = Field(
        512 << 20, ge=1 << 20, description="bytes in flight per fault family, at most"
    )
    shared_windows_mb: int | None = Field(
        None,
        ge=0,
        description="megabytes of the latest windows in shared memory, for workers beside the "
        "bridge, at most; 0: none; unset: by this host's memory if the server is embedded, else 0",
    )
    open_record_bytes: int = Field(
        5 << 28, ge=1 << 20, description="bytes of windows in open records, at most"
    )
    batch_windows: int = Field(256, ge=1, description="windows in one task, at most")
    batch_wait_ms: float = Field(
        # A read blocks this long, and must end before the socket's time-out.
        40.0,
        ge=0,
        le=1000,
        description="a record of 1 s waits this long for others of its task, at most; those of "
        "families that need longer ones wait in proportion; on a busy host up to 8 times as long, "
        "but then no more than 300 ms",
    )
    redispatch_after_s: float = Field(
        15.0, gt=0, description="a record idle for this long is dispatched again"
    )
    max_attempts: int = Field(
        5, ge=1, description="starts without a result before a record is a dead letter"
    )
    reorder_windows: int = Field(
        3,
        ge=0,
        description="later windows that may arrive before a missing one is given up",
    )
    silence_after_s: float = Field(
        30.0, gt=0, description="a machine silent for this long raises an alert"
    )
    backlog_alarm_s: float = Field(
        60.0, gt=0, description="a window unread for this long raises an alarm of the system"
    )
    dead_letters_alarm: int = Field(
        10, ge=1, description="so many dead letters in 5 minutes raise an alarm of the system"
    )
    clock_tolerance_s: float = Field(
        300.0, gt=0, description="a sender's clock may differ by this much"
    )
    baseline_auto: bool = Field(
        True, description="learn the baselines of registered machines from the stream"
    )
    baseline_s: float = Field(40.0, ge=10, description="seconds of healthy data in a new baseline")
    duplicate_horizon: int = Field(
        256, ge=8, description="windows remembered per machine to recognise duplicates"
    )
