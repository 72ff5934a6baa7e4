"""English names of faults, states and outcomes, for every reader alike."""

FAULTS: dict[str, str] = {
    "turn_short": "turn short",
    "insulation": "insulation",
    "bearing": "bearing",
    "eccentricity": "eccentricity",
    "broken_bar": "broken bar",
    # Flags of a machine.
    "silent": "silent",
    "clock": "clock",
    # Conditions of the system.
    "backlog": "backlog",
    "orphans": "window in no record",
    "workers": "no worker",
    "stalled": "queue stalled",
    "dead_letters": "dead letters",
    "memory": "memory",
    "clocks": "clocks",
    "stream_ids": "ids of the future",
    "recorder": "history not recorded",
    "notifier": "nobody notified",
    "process": "process does not start",
    "deleted_windows": "windows deleted",
}
STATES: dict[str, str] = {
    "normal": "normal",
    "warning": "warning",
    "fault": "fault",
    "unknown": "unknown",
}
OUTCOMES: dict[str, str] = {
    "confirmed": "confirmed",
    "false_alarm": "false alarm",
    "other_cause": "other cause",
    "not_inspected": "not inspected",
}
