"""Notifiers on SQLite, and where SQL itself is tested on a real PostgreSQL too."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.reporting.history.conftest import database_server
from tests.integration.reporting.notification.receiver import Receiver, receiving
from tests.postgresql import PostgreSQL, needs_postgresql
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client
from vtox.reporting.notification import notifier as notifier_module
from vtox.reporting.notification import webhook
from vtox.reporting.notification.notifier import Notifier
from vtox.reporting.notification.rules import Rules

__all__ = ["database_server"]

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOTIFY = {"webhook": webhook.send}


on_each_database = pytest.mark.parametrize(
    "settings", ["sqlite", pytest.param("postgresql", marks=needs_postgresql)], indirect=True
)


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """Settings with an empty history."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return settings
    server: PostgreSQL = request.getfixturevalue("database_server")
    return settings.model_copy(update={"database_url": server.new_database()})


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret of the webhooks, in the variable of their rules."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    monkeypatch.setattr(notifier_module, "PAUSE_S", 0.02)
    monkeypatch.setattr(notifier_module, "REPORT_EVERY_S", 0.05)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes all."""
    with receiving() as opened:
        yield opened


def hook(receiver: Receiver, **more: Any) -> dict[str, Any]:
    """The table of a webhook to a receiver; a minute of real time is 1.2 s here."""
    quick = {"timeout_s": 20, "retry_first_s": 0.05, "retry_max_s": 0.3}
    return {
        "kind": "webhook",
        "url": receiver.url,
        "secret_env": "HOOK_SECRET",
        "networks": ["127.0.0.0/8"],
        **quick,
        **more,
    }


def rules_of(targets: dict[str, Any], *rules: dict[str, Any], **more: Any) -> Rules:
    """Rules; without any, everything goes to every target."""
    all_of_it = {"targets": list(targets)}
    return Rules.model_validate({"targets": targets, "rules": rules or (all_of_it,), **more})


@pytest.fixture
def new_notifier(client: Client, settings: Settings) -> Iterator[Callable[[Rules], Notifier]]:
    """Makes notifiers that have followed the streams up to now."""
    made: list[Notifier] = []

    def make(rules: Rules) -> Notifier:
        made.append(Notifier(client, settings, rules, NOTIFY))
        made[-1].try_once()
        assert made[-1].problem == ""
        return made[-1]

    yield make
    for notifier in made:
        notifier.close()


def toml(path: Path, text: str) -> Path:
    """Write a file of rules."""
    path.write_text(text)
    return path
