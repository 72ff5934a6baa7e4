"""Every stream, group and key that VTOX uses in Redis or Valkey.

Those of the raw stream exist once for each partition, with its number at the end:
`vtox.pipeline.windows.partitions`.
"""

RAW = "motor_raw_data"
RESULTS = "fault_diagnosis_results"
ASSESSMENTS = "vehicle_health_assessments"
METRICS = "performance_metrics"
ALERTS = "system_alerts"
# Readings of named scalars that the history does not have yet.
SCALARS = "motor_scalars"
# The operators' actions on alarms.
ALARM_ACTIONS = "alarm_actions"
# The changes made by people, and the refusals: `vtox.pipeline.store.system.audit`.
AUDIT = "audit"
DEAD_LETTERS = "dead_letters"
EVIDENCE = "evidence"

GROUP = "vtox"
# Bridges look up this number of partitions of the raw stream, twice a second.
MAX_PARTITIONS = 64
# Prefix of Celery's own keys: the list behind a queue is `vtox:<queue>`.
CELERY_PREFIX = "vtox:"

COUNTERS = "vtox:counters"
LATENCY = "vtox:latency"
# Stream entry id -> one letter per family, in registry order: `-` open, `a` assigned to a
# record, `d` finished, `x` dead. Absent: nothing assigned yet.
PROGRESS = "vtox:progress"
AT_WORK = "|start"
LEASE = "vtox:lease"
# Hash of the bridge that owns the stream, or owned it and was killed.
BRIDGE = "vtox:bridge"
# Hash: `number` of partitions in force, `served` are the ones that have windows or may get some.
PARTITIONS = "vtox:partitions"
# Sorted set of the bridge processes that live, by the time (ms) at which they said so last.
BRIDGES = "vtox:bridges"
# Hash of Celery's broker as the bridge found it; absent if the tasks wait on this server.
BROKER = "vtox:broker"
MACHINES = "vtox:machines"
WORKERS = "vtox:workers"
# Hash machine id (empty: all that are not listed) -> its recent refusals, as JSON.
REFUSALS = "vtox:refusals"
# Hash of the recorder that reported last: when, its progress, its missed entries.
RECORDER = "vtox:recorder"
# Hash of the notifier that reported last: when, and the messages waiting for each target.
NOTIFIER = "vtox:notifier"
# Hash of the OPC UA server that reported last: when its certificate ends.
OPCUA = "vtox:opcua"
# Hash reader of streams -> how many entries it could not read, and passed over.
UNREADABLE = "vtox:unreadable"
# Hash machine id -> time (ms) until which the recorder is to delete its history.
RETIRED = "vtox:retired"
API_KEYS = "vtox:api-keys"
# Time of the backup that a restore is bringing back; it stays if that was interrupted.
RESTORING = "vtox:restoring"
# Hash host -> JSON of the settings given at its last `vtox up`, without secrets.
SETTINGS = "vtox:settings"
# The secret that signs the fields of raw entries that only VTOX may set. No sender may read it.
REPLAY_SECRET = "vtox:replay-secret"
# Hash key id -> time (s) of the last use, written about once a minute.
API_KEY_USES = "vtox:api-key-uses"
MONITOR = "vtox:monitor"
# Hash name -> JSON of the conditions of the system that hold, raised as an alarm or not yet.
ALARMS = "vtox:alarms"
# Set of machine|fault and machine|flag of the alerts of machines that are open, written with each
# event.
OPEN_ALERTS = "vtox:open-alerts"
# Hash: `epoch` names this numbering of changes, `change` is the number of the last one.
FLEET = "vtox:fleet"
# Sorted set of machines by the number of the last change that a list of the fleet shows.
FLEET_CHANGES = "vtox:fleet-changes"
# Hash alarm id -> the alarm as JSON, with the suspensions and the position in the alerts:
# `vtox.pipeline.store.alarms.alarm_book`.
ALARM_BOOK = "vtox:alarm-book"
# Sorted set of the fields of that hash by the number of their last change.
ALARM_CHANGES = "vtox:alarm-changes"
# Hash host -> JSON: the number of its workers, the most it may have, and the reason for the number.
SCALING = "vtox:scaling"
# Hash: the time by which retention deletes (`vtox.pipeline.store.ledger.retention_clock`).
RETENTION_CLOCK = "vtox:retention-clock"
# Hash host -> JSON: which of its optional processes do not start, and why.
ABSENT = "vtox:absent"
# JSON of the monitor's last observations of the system.
WATCH = "vtox:watch"


# Hash: bytes of evidence written in the current second.
EVIDENCE_RATE = "vtox:evidence-rate"


def ledger(family: str) -> str:
    """Hash record id -> record as JSON: dispatched and unfinished records of a family."""
    return f"vtox:ledger:{family}"


def due(family: str) -> str:
    """Sorted set of the ledger's record ids by the time (s) of their last dispatch or start."""
    return f"vtox:due:{family}"


def attempts(family: str) -> str:
    """Hash of a family: record id -> number of times a worker has started on it.

    And record id with `AT_WORK` behind it -> token and time (s) of the start that has neither ended
    nor failed. One hash for both: a second one took a tenth more of the server's time.
    """
    return f"vtox:attempts:{family}"


def machine(machine_id: str) -> str:
    """Hash of one machine: nameplate, baseline, latest diagnoses, health, versions."""
    return f"vtox:machine:{machine_id}"


def known_windows(machine_id: str) -> str:
    """Hash run|seq|t0|replay_of -> entry id, `#n` after n restarts: the last windows admitted."""
    return f"vtox:seen:{machine_id}"


def full_scalars(machine_id: str) -> str:
    """Set that expires: the scalars of a machine that may get no more names, as quantities."""
    return f"vtox:scalars:{machine_id}"


def quota(name: str) -> str:
    """Hash that expires: until when a sender has used up its allowance."""
    return f"vtox:quota:{name}"


def session(digest: str) -> str:
    """Id of the API key that signed in; named by a hash of the cookie, and expires."""
    return f"vtox:session:{digest}"


def worker(name: str) -> str:
    """Hash that expires: the last heartbeat of one worker."""
    return f"vtox:worker:{name}"
