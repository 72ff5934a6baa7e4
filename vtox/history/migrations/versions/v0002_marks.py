"""What the alarm of a fault took of each record, and the confidence of what was found."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add them to the records; those that are there do not say."""
    op.add_column("records", sa.Column("marks", sa.Text))
    op.add_column("records", sa.Column("confidence", sa.Double))
