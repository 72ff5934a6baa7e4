"""Alarms that end together reach people as one message, and programs one by one."""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.integration.reporting.notification.conftest import NOTIFY, hook, on_each_database
from tests.integration.reporting.notification.receiver import Receiver, receiving
from tests.integration.reporting.notification.test_delivery import running, state
from tests.integration.reporting.notification.test_processes import environment, start
from tests.waiting import eventually
from vtox.motor.alarms.health.alert_values import Alert
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.heartbeats import TargetState
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.entries import entry_of
from vtox.reporting.history.database import engine_to_read
from vtox.reporting.notification import (
    apprise_target,
    consumer,
    outbox,
    outbox_figures,
    plan,
)
from vtox.reporting.notification.notifier import Notifier
from vtox.reporting.notification.rules import Rules

__all__ = ["environment", "start"]

# Some of apprise's plug-ins use deprecated parts of Python.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
MACHINES = ("M0", "M1", "M2", "M3")
MAIL = {"kind": "apprise", "url_env": "MAIL_URL", "retry_first_s": 0.05, "retry_max_s": 0.3}
Processes = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends wait 1.5 s for others."""
    for module in (plan, consumer, outbox):
        monkeypatch.setattr(module, "ENDS_TOGETHER_MS", 1500)


@pytest.fixture
def new_mailer(
    client: Client, settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Notifier]]:
    """Makes notifiers with a target for people, and others."""
    opened: list[Notifier] = []
    monkeypatch.setenv("MAIL_URL", f"json://127.0.0.1:{receiver.port}/mail")

    def make(**others: object) -> Notifier:
        targets = {"mail": MAIL, **others}
        rules = Rules.model_validate({"targets": targets, "rules": [{"targets": list(targets)}]})
        made = Notifier(client, settings, rules, NOTIFY | {"apprise": apprise_target.send})
        made.try_once()
        opened.append(made)
        return made

    yield make
    for notifier in opened:
        notifier.close()


def add(client: Client, event: str, *machines: str, t: float = 5.0, began: int = 1) -> None:
    """Write an event of the alarm of silence of each machine."""
    for m in machines:
        of = {"id": f"{m}:silent:{began}", "machine_id": m, "fault": "silent", "level": "warning"}
        alert = Alert(event=event, t=t, **of)  # type: ignore[arg-type]
        client.execute_command("XADD", keys.ALERTS, "*", *entry_of(alert))


def titles(receiver: Receiver) -> list[str]:
    return [json.loads(r.body)["title"] for r in receiver.requests]


def ends(machines: Sequence[str]) -> list[str]:
    return [f"{m}: silent, cleared" for m in machines]


@on_each_database
@pytest.mark.usefixtures("short")
def test_machines_that_return_together_are_one_mail(
    new_mailer: Callable[..., Notifier], client: Client, receiver: Receiver
) -> None:
    with receiving() as program:
        notifier = new_mailer(hook=hook(program))
        add(client, "cleared", *MACHINES[:2])
        notifier.try_once()
        add(client, "cleared", *MACHINES[2:])
        with running(notifier):
            eventually(lambda: len(program.taken) == 4)
            assert receiver.requests == []
            eventually(lambda: receiver.requests)
            eventually(lambda: state(notifier, "mail").held == state(notifier, "mail").waiting == 0)
    assert titles(receiver) == ["4 alarms cleared"]
    text = json.loads(receiver.requests[0].body)["message"]
    assert [line.split(" ", 1)[1] for line in text.splitlines()] == ends(MACHINES)


@pytest.mark.usefixtures("short")
def test_an_end_that_stays_alone_is_its_own_message(
    new_mailer: Callable[..., Notifier], client: Client, receiver: Receiver
) -> None:
    notifier = new_mailer()
    add(client, "cleared", "M1")
    with running(notifier):
        eventually(lambda: receiver.requests)
    assert titles(receiver) == ends(["M1"])


@on_each_database
def test_what_comes_again_sends_its_end_first(
    new_mailer: Callable[..., Notifier], client: Client, receiver: Receiver
) -> None:
    notifier = new_mailer()
    add(client, "cleared", "M1", "M10")
    notifier.try_once()
    add(client, "raised", "M1", t=6.0, began=6)
    with running(notifier):
        eventually(lambda: len(receiver.requests) == 2)
    assert titles(receiver) == ["M1: silent, cleared", "M1: silent, raised, warning"]
    assert state(notifier, "mail").held == 1


@pytest.mark.usefixtures("short")
def test_an_end_does_not_go_before_a_begin_that_was_refused(
    new_mailer: Callable[..., Notifier], client: Client, receiver: Receiver
) -> None:
    receiver.answer = lambda _: (500, {})
    notifier = new_mailer()
    add(client, "raised", "M1")
    with running(notifier):
        eventually(lambda: receiver.requests)
        add(client, "cleared", *MACHINES)
        eventually(lambda: state(notifier, "mail").held == 4)
        eventually(lambda: state(notifier, "mail").held == 0)
        refused = len(receiver.requests)
        receiver.answer = lambda _: (200, {})
        eventually(lambda: state(notifier, "mail").waiting == 0)
    taken = [t for t in titles(receiver)[refused:] if t != "3 alarms cleared"]
    assert taken[-2:] == ["M1: silent, raised, warning", "M1: silent, cleared"]
    assert titles(receiver).count("3 alarms cleared") >= 1


@pytest.mark.long
def test_a_killed_notifier_sends_the_one_mail_once(
    environment: dict[str, str],
    start: Processes,
    client: Client,
    receiver: Receiver,
    settings: Settings,
) -> None:
    rules = (
        '[targets.mail]\nkind = "apprise"\nurl_env = "MAIL_URL"\n[[rules]]\ntargets = ["mail"]\n'
    )
    Path(environment["VTOX_NOTIFY_FILE"]).write_text(rules)
    environment["MAIL_URL"] = f"json://127.0.0.1:{receiver.port}/mail"

    first = start()
    eventually(lambda: (b := heartbeats.notifier(client)) and b.targets)
    reader = engine_to_read(settings)

    def mail() -> TargetState:
        return outbox_figures.target_states(reader, ["mail"])["mail"]

    add(client, "cleared", *MACHINES)
    eventually(lambda: mail().held == 4)
    first.kill()
    first.wait(10)
    start()
    eventually(lambda: mail().delivered)
    assert (titles(receiver), mail().waiting, mail().held) == (["4 alarms cleared"], 0, 0)
    reader.dispose()
