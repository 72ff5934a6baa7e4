"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


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
    op.create_table(
        "alerts",
        _key("id_ms", sa.BigInteger()),
        _key("id_seq", sa.BigInteger()),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("t", sa.Double, nullable=False),
        *(sa.Column(n, sa.Text, nullable=False) for n in ("code", "reason", "reason_values")),
    )
    op.create_index("alerts_of_machine", "alerts", ["machine_id", "id_ms", "id_seq"])
    op.create_table(
        "baselines",
        sa.Column("machine_id", sa.String(64), primary_key=True),
        _key("version", sa.Integer()),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("levels", sa.Text, nullable=False),
    )


def _key(name: str, kind: sa.types.TypeEngine[int]) -> sa.Column[int]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)
