"""The way of a window: stream, records, batches, and when something is late or doubtful."""

from pydantic import BaseModel, Field

from vtox.pipeline.configuration.keys import MAX_PARTITIONS


class WindowSettings(BaseModel):
    """The handling of a window until it is diagnosed."""

    stream_partitions: int | None = Field(
        None,
        ge=1,
        le=MAX_PARTITIONS,
        description="partitions of the raw stream; none: as many as there are, 1 at first",
        json_schema_extra={"when": "one bridge cannot read all windows"},
    )
    in_flight_windows: int = Field(
        4096,
        ge=1,
        description="windows in flight per fault family, at most",
        json_schema_extra={
            "when": "you have more than about eight workers a family, or little memory"
        },
    )
    shared_windows_mb: int | None = Field(
        None,
        ge=0,
        description="megabytes of the latest windows in shared memory, for workers next to the "
        "bridge, at most; 0: none; unset: by this host's memory if the server is embedded, else 0",
        json_schema_extra={"when": "`/dev/shm` is small, or your own server is on another host"},
    )
    open_record_bytes: int = Field(
        5 << 28,
        ge=1 << 20,
        description="bytes of windows in open records, at most",
        json_schema_extra={"when": "`vtox doctor` says so: many machines, or little memory"},
    )
    record_max_s: float = Field(
        40.0,  # `vtox.motor.values.record_lengths.MAX_RECORD_S`
        ge=10,
        le=40,
        description="length of a record that a nameplate asks for, at most",
        json_schema_extra={
            "when": "alarms must come sooner than small slips and slow shafts allow"
        },
    )
    batch_windows: int = Field(
        256,
        ge=1,
        description="windows in one task, at most",
        json_schema_extra={"when": "tasks take too long on slow cores"},
    )
    batch_wait_ms: float = Field(
        # A read blocks this long, and must end before the socket's time-out.
        40.0,
        ge=0,
        le=1000,
        description="a record of 1 s waits this long for others of its task, at most; those of "
        "families that need longer ones wait in proportion; on a busy host up to 8 times as long, "
        "but then no more than 300 ms",
        json_schema_extra={"when": "answers must come sooner, at more CPU time a window"},
    )
    redispatch_after_s: float = Field(
        15.0,
        gt=0,
        description="a record idle for this long is dispatched again",
        json_schema_extra={"when": "diagnoses take longer than that on slow cores"},
    )
    silence_after_s: float = Field(
        30.0,
        gt=0,
        description="a machine that streams raises an alert within this time of its last window; "
        "one that sends less often after two and a half of its intervals",
        json_schema_extra={"when": "silence must be seen sooner, or lines pause for longer"},
    )
    clock_tolerance_s: float = Field(
        300.0,
        gt=0,
        description="a sender's clock may differ by this much",
        json_schema_extra={
            "when": "senders without a time service, or data that was buffered for long"
        },
    )
    baseline_auto: bool = Field(
        True,
        description="learn the baselines of registered machines from the stream",
        json_schema_extra={"when": "only you decide when a motor is healthy"},
    )
    duplicate_horizon: int = Field(
        256,
        ge=8,
        description="windows remembered per machine to recognise duplicates",
        json_schema_extra={"when": "gateways repeat more than that after an interruption"},
    )
