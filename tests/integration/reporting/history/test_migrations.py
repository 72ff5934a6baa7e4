"""The tables that the migrations make are those of the schema, on both kinds of database."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from vtox.pipeline.configuration.settings import Settings
from vtox.reporting.history.database import engine_to_write
from vtox.reporting.history.errors import HistoryUnavailable
from vtox.reporting.history.migrations.upgrade import migrate
from vtox.reporting.history.schema import metadata


def test_migrations_lead_to_the_schema(settings: Settings) -> None:
    engine = engine_to_write(settings)
    for _ in range(2):
        migrate(engine)
    with engine.begin() as db:
        assert compare_metadata(MigrationContext.configure(db), metadata) == []
    engine.dispose()


@pytest.mark.parametrize(
    ("step", "said"),
    [("9.0.0", "by a later version of VTOX"), ("0013", "by a build before VTOX 0.2.0")],
)
def test_tables_of_other_versions_are_left_alone(settings: Settings, step: str, said: str) -> None:
    engine = engine_to_write(settings)
    migrate(engine)
    with engine.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = :step"), {"step": step})
    with pytest.raises(HistoryUnavailable, match=said):
        migrate(engine)
    with engine.connect() as db:
        assert db.execute(text("SELECT version_num FROM alembic_version")).scalar() == step
    engine.dispose()
