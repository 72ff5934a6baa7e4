"""The table of profiles: what each machine usually does."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "profiles",
        sa.Column("machine_id", sa.String(64), primary_key=True),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.Column("pending", sa.Text, nullable=False),
        sa.Column("word_ms", sa.BigInteger, nullable=False),
    )
