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


def test_tables_of_a_later_version_are_left_alone(settings: Settings) -> None:
    engine = engine_to_write(settings)
    migrate(engine)
    with engine.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(HistoryUnavailable, match="later version"):
        migrate(engine)
    engine.dispose()
