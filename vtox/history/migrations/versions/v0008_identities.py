"""What a result or an alert is, whatever the id of its entry."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_OF_ONE_EVENT = ("alert_id", "machine_id", "fault", "event", "level", "t")


def upgrade() -> None:
    """Add the windows to the records, and let no event of an alarm be there twice."""
    op.add_column("records", sa.Column("windows", sa.Text))
    same = " AND ".join(f"b.{name} = alerts.{name}" for name in _OF_ONE_EVENT)
    earlier = "(b.id_ms, b.id_seq) < (alerts.id_ms, alerts.id_seq)"
    twice = f"SELECT 1 FROM alerts b WHERE {same} AND {earlier}"
    op.execute(f"DELETE FROM alerts WHERE EXISTS ({twice})")
    op.drop_index("alerts_of_alarm", "alerts")
    op.create_index("alerts_of_alarm", "alerts", _OF_ONE_EVENT, unique=True)
