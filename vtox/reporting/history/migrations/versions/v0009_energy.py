"""The tables of energy: counts of meters by quarter-hour and by day."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_COUNTS = """
    observed_ms running_ms powered_ms estimated_ms energy_j reactive_vars
    shaft_j lost_j unbalance_j harmonic_j
    class_1_ms class_2_ms class_3_ms class_4_ms class_5_ms class_6_ms starts
""".split()


def upgrade() -> None:
    """Make them."""
    for name in ("energy_quarters", "energy_days"):
        op.create_table(
            name,
            sa.Column("series_id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("t", sa.BigInteger, primary_key=True, autoincrement=False),
            *(sa.Column(field, sa.BigInteger, nullable=False) for field in _COUNTS),
            sqlite_with_rowid=False,
        )
