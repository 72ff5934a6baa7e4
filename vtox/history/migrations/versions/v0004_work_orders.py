"""Work orders of other systems, among what operators did."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add their system, reference and address to the actions."""
    for name in ("system", "reference", "url"):
        op.add_column("alarm_actions", sa.Column(name, sa.Text))
