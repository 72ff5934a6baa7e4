"""The outbox of the notifier: what is sent to others, and how they answer."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make its tables."""
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
