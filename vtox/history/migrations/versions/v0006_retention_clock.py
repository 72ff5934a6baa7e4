"""The time by which the history deletes."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make its table."""
    op.create_table(
        "retention_clock",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("t", "ahead_s", "lasted_s")),
    )
