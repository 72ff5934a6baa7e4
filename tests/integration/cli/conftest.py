"""What the commands of these tests find in their environment."""

import httpx
import pytest

from vtox.pipeline.configuration.settings import Settings


@pytest.fixture
def api_of_commands(
    fresh_http: httpx.Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> httpx.Client:
    """An API that commands read, with its own history."""
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    monkeypatch.setenv("VTOX_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("VTOX_API_HOST", fresh_http.base_url.host)
    monkeypatch.setenv("VTOX_API_PORT", str(fresh_http.base_url.port))
    return fresh_http
