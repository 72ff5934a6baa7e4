"""The views with stable names, for Grafana and others."""

from alembic import op

from vtox.reporting.history.views import VIEWS

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make them."""
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")
