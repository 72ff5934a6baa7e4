"""`VTOX_DATABASE_URL`: accepted values, and messages without a password."""

import pytest

from vtox.pipeline.configuration.server_urls import complete_database, unencrypted_host
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.errors import SettingsError
from vtox.pipeline.monitoring.doctor import inspect
from vtox.reporting.history.database import address, engine_to_write

PASSWORD = "s3cret"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_the_database_is_postgresql(scheme: str) -> None:
    url = complete_database("VTOX_DATABASE_URL", f"{scheme}://u:p%2F@h:5432/vtox?sslmode=require")
    assert url == "postgresql://u:p%2F@h:5432/vtox?sslmode=require"
    engine = engine_to_write(load(database_url=url))
    assert (engine.url.password, engine.dialect.driver) == ("p/", "psycopg")


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://u:{PASSWORD}@h/d",
        f"postgresql://u:{PASSWORD}@h",
        f"postgresql://u:{PASSWORD}@h:port/d",
        f"postgresql://u:{PASSWORD}#x@h/d",
        f"postgresql://u:{PASSWORD}/x@h/d",
        f"{PASSWORD}",
    ],
)
def test_a_refused_url_shows_no_password(url: str) -> None:
    settings = load(database_url=url)
    assert PASSWORD not in address(settings) + repr(settings)
    with pytest.raises(SettingsError, match="VTOX_DATABASE_URL") as refused:
        engine_to_write(settings)
    assert PASSWORD not in str(refused.value)


def test_doctor_names_the_database_and_no_password() -> None:
    settings = load(database_url=f"postgresql://u:{PASSWORD}@db.example/vtox")
    checks = {c.name: c for c in inspect(settings)}
    assert PASSWORD not in str(checks)
    assert checks["history"].observed == "postgresql://u:***@db.example/vtox"
    assert "db.example" in checks["encryption"].observed


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("postgresql://h/d", "h"),
        ("postgresql://h/d?sslmode=prefer", "h"),
        ("postgresql://h/d?sslmode=verify-full", ""),
        ("postgresql://127.0.0.1/d", ""),
    ],
)
def test_a_database_on_another_host_wants_tls(url: str, host: str) -> None:
    assert unencrypted_host(url) == host
