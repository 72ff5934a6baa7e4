"""The tables of the history. `migrations` makes them and brings those of older versions up to here.

Times are whole numbers since 1970, UTC: `t_ms` and `id_ms` in ms, `t` of minutes and hours in s.
`id_ms` and `id_seq` are the two numbers of the id of a stream entry.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from vtox.motor.values.energy import START_FIGURES, MeterCounts

metadata = MetaData()

# Up to where each stream was recorded. `entries_read` is how many entries the stream has ever had
# up to there, from which follows how many were trimmed unread.
positions = Table(
    "positions",
    metadata,
    Column("stream", String(64), primary_key=True),
    Column("entry_id", String(48), nullable=False),
    Column("entries_read", BigInteger),
)

# Entries that were trimmed before they were read: those after `after_id` and before `before_id`.
missed = Table(
    "missed",
    metadata,
    Column("stream", String(64), primary_key=True),
    Column("after_id", String(48), primary_key=True),
    Column("before_id", String(48), nullable=False),
    Column("entries", BigInteger),
)

# One row: the time by which this history deletes (`vtox.pipeline.store.ledger.retention_clock`).
retention_clock = Table(
    "retention_clock",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("t", Double, nullable=False),
    Column("ahead_s", Double, nullable=False),
    Column("lasted_s", Double, nullable=False),
)

# One quantity of one machine: a fault, `health`; of the system (no machine) a figure.
series = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("machine_id", String(64), nullable=False),
    Column("quantity", String(64), nullable=False),
    UniqueConstraint("machine_id", "quantity"),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("code", String(64), nullable=False),
    UniqueConstraint("state", "code"),
)

# Ordered by time within a series, so that a trend and a list are one stretch of the table.
records = Table(
    "records",
    metadata,
    Column("series_id", Integer, primary_key=True, autoincrement=False),
    Column("t_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("id_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("id_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("outcome_id", Integer, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("value", Double),
    Column("threshold", Double),
    Column("severity", Double),
    # For a diagnosis: the marks that its alarm took of it.
    # The confidence is there if a fault was found: a sensitivity may ask for it.
    Column("marks", Text),
    Column("confidence", Double),
    # For a diagnosis: numbers of its first and last window, and their run, if known.
    Column("windows", Text),
    sqlite_with_rowid=False,
)


def _aggregates(name: str) -> Table:
    """Return a table of stretches of time: one row for each outcome that came in one."""
    return Table(
        name,
        metadata,
        Column("series_id", Integer, primary_key=True, autoincrement=False),
        Column("t", BigInteger, primary_key=True, autoincrement=False),
        Column("outcome_id", Integer, primary_key=True, autoincrement=False),
        Column("n", Integer, nullable=False),
        # The number of those `n` records with a value; the next three are of these values.
        Column("n_values", Integer, nullable=False),
        Column("minimum", Double),
        Column("total", Double, nullable=False),
        Column("maximum", Double),
        # The last one, and the largest.
        Column("threshold", Double),
        Column("severity", Double),
        sqlite_with_rowid=False,
    )


minutes = _aggregates("minutes")
hours = _aggregates("hours")


def _counted(name: str) -> Table:
    """Return a table of counts of meters in stretches of time: whole numbers, exact sums."""
    return Table(
        name,
        metadata,
        Column("series_id", Integer, primary_key=True, autoincrement=False),
        Column("t", BigInteger, primary_key=True, autoincrement=False),
        *(Column(field, BigInteger, nullable=False) for field in MeterCounts._fields),
        sqlite_with_rowid=False,
    )


# Rows by quarter-hour, and by day of UTC; the series is that of the metered fault.
energy_quarters = _counted("energy_quarters")
energy_days = _counted("energy_days")

# The part of a start in a record: all of it, or the part that begins or ends in it.
start_parts = Table(
    "start_parts",
    metadata,
    Column("series_id", Integer, primary_key=True, autoincrement=False),
    # The end of the record, as in `records`; then from when to when the start is seen in it.
    Column("t_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("begin_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("begins", Boolean, nullable=False),
    Column("ends", Boolean, nullable=False),
    *(Column(name, Double) for name in START_FIGURES),
    sqlite_with_rowid=False,
)

# The profile of each machine, its minute that is not complete, and the last word of a person that
# it has followed.
profiles = Table(
    "profiles",
    metadata,
    Column("machine_id", String(64), primary_key=True),
    Column("state", LargeBinary, nullable=False),
    Column("pending", Text, nullable=False),
    Column("word_ms", BigInteger, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("id_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("alert_id", Text, nullable=False),
    Column("machine_id", Text, nullable=False),
    Column("fault", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("t", Double, nullable=False),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("reason_values", Text, nullable=False),
    Column("doubts", Text, nullable=False),
    Index("alerts_of_machine", "machine_id", "id_ms", "id_seq"),
    # An event that a server lost comes again, with the id of another entry.
    Index(
        "alerts_of_alarm",
        "alert_id",
        "machine_id",
        "fault",
        "event",
        "level",
        "t",
        unique=True,
    ),
)

# Actions of operators. Without `alarm_id` an action is about the machine.
alarm_actions = Table(
    "alarm_actions",
    metadata,
    Column("id_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("id_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("alarm_id", Text, nullable=False),
    Column("machine_id", Text, nullable=False),
    Column("fault", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("t_ms", BigInteger, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("until_ms", BigInteger),
    Column("outcome", Text),
    Column("system", Text),
    Column("reference", Text),
    Column("url", Text),
    Column("request_id", Text, nullable=False),
    Index("actions_of_alarm", "alarm_id", "machine_id", "id_ms", "id_seq"),
)

baselines = Table(
    "baselines",
    metadata,
    Column("machine_id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("about", Text, nullable=False),
    Column("levels", Text, nullable=False),
)

# Up to where the notifier has followed each stream; `entries_read` as in `positions`.
notified = Table(
    "notified",
    metadata,
    Column("stream", String(64), primary_key=True),
    Column("entry_id", String(48), nullable=False),
    Column("entries_read", BigInteger),
)

# Messages to others, one row for each target. `claim` is that of the notifier which sends it.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("target", String(32), nullable=False),
    Column("message_id", String(128), nullable=False),
    Column("alarm_id", Text, nullable=False),
    Column("machine_id", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
    Column("claim", String(32), nullable=False, server_default=""),
    Column("claimed_until_ms", BigInteger),
    Column("done_ms", BigInteger),
    UniqueConstraint("target", "message_id"),
    Index("deliveries_by_state", "target", "state", "due_ms"),
)

# How each target answers: how often in a row it has failed, and when it is tried again.
delivery_targets = Table(
    "delivery_targets",
    metadata,
    Column("target", String(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
    Column("error_ms", BigInteger),
    Column("delivered", BigInteger, nullable=False),
    Column("delivered_ms", BigInteger),
)
