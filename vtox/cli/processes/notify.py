"""`vtox notify`: sends alarms to webhooks and chats, and shows the waiting messages."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from vtox.cli.shared.options import Json
from vtox.motor.errors import InputError
from vtox.pipeline.cluster import logging_setup
from vtox.pipeline.cluster.signal_handlers import stop_event
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.configuration.version import install_command
from vtox.pipeline.errors import RulesError, SettingsError
from vtox.pipeline.store.server.client import check_when_loaded, connect, server_time_ms
from vtox.pipeline.store.system.agreement import reader_terms, require_agreement

notify = typer.Typer(
    help="Alarms to webhooks and chats: run, check, test, status, retry.",
    no_args_is_help=True,
)
Target = Annotated[str, typer.Argument(metavar="TARGET", help="Its name in the file of rules.")]


@notify.command("run")
def run() -> None:
    """Notify until stopped. `vtox up` does this for you if VTOX_NOTIFY_FILE is set."""
    logging_setup.setup("notifier")
    # Not at the top, as everywhere here: SQLAlchemy and HTTP, for which no help should wait.
    from vtox.reporting.notification.notifier import Notifier

    settings = load()
    rules = _rules(settings)
    senders = _senders(rules)
    stop = stop_event()
    client = connect(settings.working_url(), "notifier")
    check_when_loaded(client)
    require_agreement(client, settings, part=reader_terms)
    Notifier(client, settings, rules, senders, _check_target).run(stop)


@notify.command("check")
def check() -> None:
    """Check the file of rules, its secrets, and where its webhooks lead. Sends nothing."""
    from vtox.reporting.notification.trial import problem_of_target

    settings = load()
    rules = _rules(settings)
    _senders(rules)
    _check_secrets(rules)
    console = Console(highlight=False, soft_wrap=True)
    used = {name for rule in rules.rules for name in rule.targets}
    bad = 0
    for name, target in rules.targets.items():
        problem = problem_of_target(name, target)
        bad += bool(problem)
        unused = "" if name in used else ", in no rule"
        console.print(Text(f"{name}: {target.kind}{unused}: {problem or 'ok'}"))
    count = _counted(len(rules.rules), "rule")
    console.print(Text(f"{settings.notify_file}: {count}"))
    if bad:
        raise typer.Exit(1)


@notify.command("test")
def test(target: Target) -> None:
    """Send a test to one target now, and print its answer."""
    from vtox.reporting.notification.trial import send_trial

    rules = _rules(load())
    if target not in rules.targets:
        known = ", ".join(rules.targets)
        raise InputError(f"{target!r} is no target", remedy=f"expected one of {known}")
    _check_secrets(rules, target)
    attempt = send_trial(target, rules.targets[target], _senders(rules))
    typer.echo(f"{target}: {'taken' if attempt.is_delivered else attempt.problem}")
    if not attempt.is_delivered:
        raise typer.Exit(1)


@notify.command("status")
def status(
    limit: Annotated[
        int, typer.Option(metavar="N", min=0, help="Dead letters shown at most.")
    ] = 10,
    as_json: Json = False,
) -> None:
    """Show for each target the waiting messages, its answers, and the messages given up."""
    from vtox.reporting.history import database
    from vtox.reporting.notification import outbox_figures

    settings = load()
    names = list(_rules(settings).targets) if settings.notify_file else []
    with _reader(settings) as engine, database.explain_errors(settings):
        states = outbox_figures.target_states(engine, names) if engine else {}
        letters = outbox_figures.dead_letters(engine, "", limit) if engine else []
    if as_json:
        shown = {name: asdict(state) for name, state in states.items()}
        typer.echo(json.dumps({"targets": shown, "dead_letters": [asdict(d) for d in letters]}))
        return
    console = Console(highlight=False, soft_wrap=True)
    if not states:
        console.print("No targets: set VTOX_NOTIFY_FILE (docs/howto/notify.md).")
    for name, s in states.items():
        line = f"{name}: {s.waiting} waiting, {s.held} held, {s.delivered} delivered, {s.dead} dead"
        if s.failures:
            line += f"; fails: {s.problem} ({s.failures})"
        if s.failures and s.next_t is not None:
            line += f", next attempt at {_time(round(1000 * s.next_t))}"
        if s.waiting and s.oldest_t is not None:
            line += f"; the oldest waits since {_time(round(1000 * s.oldest_t))}"
        console.print(Text(line))
    for d in letters:
        line = f"dead: {_time(d.done_ms)} {d.target} {d.message_id} {d.alarm_id}: {d.error}"
        console.print(Text(f"{line}, {d.attempts} attempts"))


@notify.command("retry")
def retry(
    target: Annotated[str, typer.Argument(metavar="[TARGET]", help="Only of this one.")] = "",
    discard: Annotated[
        bool, typer.Option("--discard", help="Drop those of TARGET, and send none of them.")
    ] = False,
) -> None:
    """Send dead letters again, with the ids they had."""
    if discard and not target:
        raise InputError("--discard: of which target?", remedy="vtox notify retry TARGET --discard")
    done = "dropped" if discard else "waiting again"
    typer.echo(f"{done}: {_counted(_revive(target, drop=discard), 'dead letter')}")


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _rules(settings: Settings) -> Any:
    from vtox.reporting.notification.rules import read_rules

    if settings.notify_file is None:
        raise InputError(
            "VTOX_NOTIFY_FILE is not set",
            remedy="write the rules (docs/howto/notify.md) and set it",
        )
    return read_rules(settings.notify_file)


def _senders(rules: Any) -> Mapping[str, Any]:
    """Return the sender of each kind of target that the rules have."""
    from vtox.reporting.notification import webhook

    kinds = {t.kind: name for name, t in rules.targets.items()}
    senders: dict[str, Any] = {"webhook": webhook.send}
    kind, extra = "apprise", "notify"
    try:
        if "apprise" in kinds:
            from vtox.reporting.notification import apprise_target

            senders["apprise"] = apprise_target.send
        kind, extra = "mqtt", "mqtt"
        if "mqtt" in kinds:
            from vtox.reporting.notification.mqtt_target import MqttTargets

            senders["mqtt"] = MqttTargets().send
    except ImportError as error:
        raise RulesError(
            f"targets.{kinds[kind]} needs the package {error.name}", remedy=install_command(extra)
        ) from None
    return senders


def _check_secrets(rules: Any, only: str = "") -> None:
    """Raise the errors in the secrets of targets."""
    for name, target in rules.targets.items():
        if only in ("", name):
            _check_target(name, target)


def _check_target(name: str, target: Any) -> None:
    from vtox.reporting.notification.target_secrets import signing_keys, target_url

    url = target_url(name, target)
    if target.kind == "webhook":
        signing_keys(name, target)
        return
    if target.kind == "mqtt":
        from vtox.pipeline.configuration.mqtt_urls import parse_url

        try:
            parse_url(url, f"targets.{name}")
        except SettingsError as error:
            raise RulesError(str(error)) from None
        return
    from vtox.reporting.notification import apprise_target

    apprise_target.check_url(name, url)


@contextmanager
def _reader(settings: Settings) -> Iterator[Any]:
    """Yield the engine of a reader, None if no notifier has ever made its tables."""
    from vtox.reporting.history import database
    from vtox.reporting.history.schema import deliveries

    if not settings.database_url and not settings.history_file.exists():
        yield None
        return
    engine = database.engine_to_read(settings)
    try:
        with database.explain_errors(settings), engine.connect() as db:
            has_tables = db.dialect.has_table(db, deliveries.name)
        yield engine if has_tables else None
    finally:
        engine.dispose()


def _revive(target: str, *, drop: bool) -> int:
    from vtox.reporting.history import database
    from vtox.reporting.notification import outbox

    settings = load()
    with _reader(settings) as there:
        if there is None:
            return 0
    engine = database.engine_to_write(settings)
    try:
        with (
            connect(settings.working_url(), "notify") as client,
            database.explain_errors(settings),
        ):
            check_when_loaded(client)
            state: Any = "dropped" if drop else "waiting"
            return outbox.revive(engine, target, server_time_ms(client), state)
    finally:
        engine.dispose()


def _time(ms: int | None) -> str:
    return "-" if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat(" ", "seconds")
