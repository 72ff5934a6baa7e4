"""What was said with the code of an alert."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add it to the alerts; those that are there do not say."""
    op.add_column("alerts", sa.Column("doubts", sa.Text))
