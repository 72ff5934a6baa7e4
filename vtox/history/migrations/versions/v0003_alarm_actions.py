"""What operators did with alarms."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table, and find the events of one alarm quickly."""
    texts = ("alarm_id", "machine_id", "fault", "action")
    op.create_table(
        "alarm_actions",
        *(
            sa.Column(name, sa.BigInteger(), primary_key=True, autoincrement=False)
            for name in ("id_ms", "id_seq")
        ),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("t_ms", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("by_name", "key_id", "text")),
        sa.Column("until_ms", sa.BigInteger),
        sa.Column("outcome", sa.Text),
        sa.Column("request_id", sa.Text, nullable=False),
    )
    op.create_index(
        "actions_of_alarm", "alarm_actions", ["alarm_id", "machine_id", "id_ms", "id_seq"]
    )
    op.create_index("alerts_of_alarm", "alerts", ["alert_id"])
