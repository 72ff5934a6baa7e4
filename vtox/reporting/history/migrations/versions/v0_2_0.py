"""The tables and views of 0.2.0, the first release."""

import sqlalchemy as sa
from alembic import op

from vtox.reporting.history.views import VIEWS

revision = "0.2.0"
down_revision = None

_COUNTS = """
    observed_ms running_ms powered_ms estimated_ms energy_j reactive_vars
    shaft_j lost_j unbalance_j harmonic_j
    class_1_ms class_2_ms class_3_ms class_4_ms class_5_ms class_6_ms starts
""".split()
_FIGURES = ("inrush_a", "peak_a", "mean_a", "final_a", "dip_ratio", "energy_j")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "positions",
        sa.Column("stream", sa.String(64), primary_key=True),
        sa.Column("entry_id", sa.String(48), nullable=False),
        sa.Column("entries_read", sa.BigInteger),
    )
    op.create_table(
        "missed",
        sa.Column("stream", sa.String(64), primary_key=True),
        sa.Column("after_id", sa.String(48), primary_key=True),
        sa.Column("before_id", sa.String(48), nullable=False),
        sa.Column("entries", sa.BigInteger),
    )
    op.create_table(
        "series",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("machine_id", sa.String(64), nullable=False),
        sa.Column("quantity", sa.String(64), nullable=False),
        sa.UniqueConstraint("machine_id", "quantity"),
    )
    op.create_table(
        "outcomes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.UniqueConstraint("state", "code"),
    )
    op.create_table(
        "records",
        _key("series_id", sa.Integer()),
        _key("t_ms", sa.BigInteger()),
        _key("id_ms", sa.BigInteger()),
        _key("id_seq", sa.BigInteger()),
        sa.Column("outcome_id", sa.Integer, nullable=False),
        sa.Column("duration_ms", sa.Integer, nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("threshold", sa.Double),
        sa.Column("severity", sa.Double),
        sa.Column("marks", sa.Text),
        sa.Column("confidence", sa.Double),
        sa.Column("windows", sa.Text),
        sqlite_with_rowid=False,
    )
    for name in ("minutes", "hours"):
        op.create_table(
            name,
            _key("series_id", sa.Integer()),
            _key("t", sa.BigInteger()),
            _key("outcome_id", sa.Integer()),
            sa.Column("n", sa.Integer, nullable=False),
            sa.Column("n_values", sa.Integer, nullable=False),
            sa.Column("minimum", sa.Double),
            sa.Column("total", sa.Double, nullable=False),
            sa.Column("maximum", sa.Double),
            sa.Column("threshold", sa.Double),
            sa.Column("severity", sa.Double),
            sqlite_with_rowid=False,
        )
    texts = ("alert_id", "machine_id", "fault", "level", "event")
    reasons = ("code", "reason", "reason_values", "doubts")
    op.create_table(
        "alerts",
        _key("id_ms", sa.BigInteger()),
        _key("id_seq", sa.BigInteger()),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("t", sa.Double, nullable=False),
        *(sa.Column(n, sa.Text, nullable=False) for n in reasons),
    )
    op.create_index("alerts_of_machine", "alerts", ["machine_id", "id_ms", "id_seq"])
    one_event = ["alert_id", "machine_id", "fault", "event", "level", "t"]
    op.create_index("alerts_of_alarm", "alerts", one_event, unique=True)
    op.create_table(
        "baselines",
        sa.Column("machine_id", sa.String(64), primary_key=True),
        _key("version", sa.Integer()),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("levels", sa.Text, nullable=False),
    )
    op.create_table(
        "retention_clock",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("t", "ahead_s", "lasted_s")),
    )
    _make_alarm_actions()
    _make_outbox()
    _make_energy()
    op.create_table(
        "profiles",
        sa.Column("machine_id", sa.String(64), primary_key=True),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.Column("pending", sa.Text, nullable=False),
        sa.Column("word_ms", sa.BigInteger, nullable=False),
    )
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")


def _make_alarm_actions() -> None:
    texts = ("alarm_id", "machine_id", "fault", "action")
    op.create_table(
        "alarm_actions",
        _key("id_ms", sa.BigInteger()),
        _key("id_seq", sa.BigInteger()),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("t_ms", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("by_name", "key_id", "text")),
        sa.Column("until_ms", sa.BigInteger),
        sa.Column("outcome", sa.Text),
        sa.Column("request_id", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("system", "reference", "url")),
    )
    op.create_index(
        "actions_of_alarm", "alarm_actions", ["alarm_id", "machine_id", "id_ms", "id_seq"]
    )


def _make_outbox() -> None:
    op.create_table(
        "notified",
        sa.Column("stream", sa.String(64), primary_key=True),
        sa.Column("entry_id", sa.String(48), nullable=False),
        sa.Column("entries_read", sa.BigInteger),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("target", sa.String(32), nullable=False),
        sa.Column("message_id", sa.String(128), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("alarm_id", "machine_id")),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("created_ms", "due_ms")),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("error", sa.Text, nullable=False, server_default=""),
        sa.Column("claim", sa.String(32), nullable=False, server_default=""),
        *(sa.Column(name, sa.BigInteger) for name in ("claimed_until_ms", "done_ms")),
        sa.UniqueConstraint("target", "message_id"),
    )
    op.create_index("deliveries_by_state", "deliveries", ["target", "state", "due_ms"])
    op.create_table(
        "delivery_targets",
        sa.Column("target", sa.String(32), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("next_ms", sa.BigInteger, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("error_ms", sa.BigInteger),
        sa.Column("delivered", sa.BigInteger, nullable=False),
        sa.Column("delivered_ms", sa.BigInteger),
    )


def _make_energy() -> None:
    for name in ("energy_quarters", "energy_days"):
        op.create_table(
            name,
            _key("series_id", sa.Integer()),
            _key("t", sa.BigInteger()),
            *(sa.Column(field, sa.BigInteger, nullable=False) for field in _COUNTS),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "start_parts",
        _key("series_id", sa.Integer()),
        _key("t_ms", sa.BigInteger()),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("begin_ms", "end_ms")),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("begins", "ends")),
        *(sa.Column(name, sa.Double) for name in _FIGURES),
        sqlite_with_rowid=False,
    )


def _key(name: str, kind: sa.types.TypeEngine[int]) -> sa.Column[int]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)
