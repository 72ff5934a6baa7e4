"""Energy that is not measured is null in its view, not 0."""

from alembic import op

from vtox.reporting.history.views import VIEWS

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the view of energy again; PostgreSQL replaces it, so that its grants stay."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP VIEW energy")
    replaced = "" if op.get_bind().dialect.name == "sqlite" else "OR REPLACE "
    op.execute(f"CREATE {replaced}VIEW energy AS {VIEWS['energy']}")
