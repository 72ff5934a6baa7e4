"""How long results are kept, and up to which size: on the server, and in the history."""

from pydantic import BaseModel, Field


class RetentionSettings(BaseModel):
    """Results on the server and in the history."""

    results_hours: float = Field(
        24.0, gt=0, description="fault_diagnosis_results are kept this long"
    )
    results_mb: float = Field(40.0, gt=0, description="and up to this size")
    assessments_hours: float = Field(168.0, gt=0, description="assessments are kept this long")
    assessments_mb: float = Field(16.0, gt=0, description="and up to this size")
    alerts_hours: float = Field(2160.0, gt=0, description="system_alerts are kept this long")
    alerts_mb: float = Field(16.0, gt=0, description="and up to this size")
    alarm_actions_hours: float = Field(
        8760.0, gt=0, description="alarm_actions, what operators did, are kept this long"
    )
    alarm_actions_mb: float = Field(8.0, gt=0, description="and up to this size")
    audit_hours: float = Field(
        17520.0, gt=0, description="audit, who changed what, is kept this long"
    )
    audit_mb: float = Field(8.0, gt=0, description="and up to this size")
    metrics_hours: float = Field(168.0, gt=0, description="performance_metrics are kept this long")
    metrics_mb: float = Field(16.0, gt=0, description="and up to this size")
    dead_letters_hours: float = Field(168.0, gt=0, description="dead_letters are kept this long")
    dead_letters_mb: float = Field(64.0, gt=0, description="and up to this size")
    evidence_hours: float = Field(
        168.0, gt=0, description="waveforms of new warnings and faults are kept this long"
    )
    evidence_mb: float = Field(64.0, gt=0, description="and up to this size")
    history_records_hours: float = Field(
        24.0, gt=0, description="the history keeps every record this long"
    )
    history_minutes_days: float = Field(14.0, gt=0, description="minutes this long")
    history_hours_days: float = Field(
        730.0, gt=0, description="hours, alerts and actions on alarms this long"
    )
    history_min_free_mb: float = Field(
        1024.0, ge=0, description="with less free on its disk the history in SQLite is not written"
    )
