"""The table of starts: the part of a start that each record shows."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_FIGURES = ("inrush_a", "peak_a", "mean_a", "final_a", "dip_ratio", "energy_j")


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "start_parts",
        sa.Column("series_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("t_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("begin_ms", sa.BigInteger, nullable=False),
        sa.Column("end_ms", sa.BigInteger, nullable=False),
        sa.Column("begins", sa.Boolean, nullable=False),
        sa.Column("ends", sa.Boolean, nullable=False),
        *(sa.Column(name, sa.Double) for name in _FIGURES),
        sqlite_with_rowid=False,
    )
