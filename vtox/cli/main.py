"""The command `vtox`: its commands, its version, and how it reports errors."""

import sys
from collections.abc import Sequence

import redis
import typer
from rich.console import Console
from rich.text import Text

from vtox.errors import ServerUnavailable, VtoxError
from vtox.version import version

# In the order of the help, which lists groups of commands last.
COMMANDS = (
    "up",
    "drain",
    "demo",
    "status",
    "doctor",
    "machines",
    "baseline",
    "alarms",
    "sensitivity",
    "channel-map",
    "replay",
    "simulate",
    "inspect",
    "diagnose",
    "report",
    "verify",
    "evidence",
    "dead-letters",
    "backup",
    "restore",
    "config",
    "keys",
    "audit",
    "server",
    "bridge",
    "recorder",
    "notify",
    "mqtt",
    "flower",
)


def application(arguments: Sequence[str] = ()) -> typer.Typer:
    """Return the command line; if `arguments` begin with a command, with that command only."""
    app = typer.Typer(
        name="vtox",
        help="Condition monitoring for fleets of electric motors: windows in, diagnoses out.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        callback=vtox,
    )
    requested = [a for a in arguments[:1] if a in COMMANDS]
    for command in requested or COMMANDS:
        _add(command, app)
    return app


def _add(command: str, app: typer.Typer) -> None:
    """Import the module of one command only: `vtox bridge` stays small and the others quick."""
    match command:
        case "up":
            from vtox.cli import up

            up.register(app)
        case "drain":
            from vtox.cli import drain

            drain.register(app)
        case "demo":
            from vtox.cli import demo

            demo.register(app)
        case "status":
            from vtox.cli import status

            status.register(app)
        case "doctor":
            from vtox.cli import doctor

            doctor.register(app)
        case "machines":
            from vtox.cli import machines

            machines.register(app)
        case "baseline":
            from vtox.cli import machines

            machines.register_baseline(app)
        case "alarms":
            from vtox.cli import alarms

            alarms.register(app)
        case "sensitivity":
            from vtox.cli import sensitivity

            sensitivity.register(app)
        case "channel-map":
            from vtox.cli import channel_map

            channel_map.register(app)
        case "replay":
            from vtox.cli import replay

            replay.register(app)
        case "simulate":
            from vtox.cli import simulate

            simulate.register(app)
        case "inspect":
            from vtox.cli import inspect

            inspect.register(app)
        case "diagnose":
            from vtox.cli import diagnose

            diagnose.register(app)
        case "report":
            from vtox.cli import report

            report.register(app)
        case "verify":
            from vtox.cli import verify

            verify.register(app)
        case "evidence":
            from vtox.cli import evidence

            evidence.register(app)
        case "dead-letters":
            from vtox.cli import dead_letters

            dead_letters.register(app)
        case "backup":
            from vtox.cli import backup

            backup.register(app)
        case "restore":
            from vtox.cli import backup

            backup.register_restore(app)
        case "config":
            from vtox.cli import config

            config.register(app)
        case "keys":
            from vtox.cli import keys

            keys.register(app)
        case "audit":
            from vtox.cli import audit

            audit.register(app)
        case "server":
            from vtox.cli import server

            server.register(app)
        case "bridge":
            from vtox.cli import bridge

            bridge.register(app)
        case "recorder":
            from vtox.cli import recorder

            recorder.register(app)
        case "notify":
            from vtox.cli import notify

            notify.register(app)
        case "mqtt":
            from vtox.cli import mqtt

            mqtt.register(app)
        case "flower":
            from vtox.cli import flower

            flower.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vtox {version()}")
        raise typer.Exit


def vtox(
    _: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Show the version."
    ),
) -> None:
    pass


def main() -> None:
    """Run the command line; an error that VTOX can explain is one sentence, with exit status 2."""
    try:
        application(sys.argv[1:])()
    except ServerUnavailable as error:
        _fail(str(error) if error.remedy else _running(error.observed))
    except VtoxError as error:
        _fail(str(error))
    except redis.AuthenticationError as error:
        _fail(f"the server refuses the user or password of VTOX_REDIS_URL: {error}")
    except redis.OutOfMemoryError:
        _fail(
            "the server is out of memory and takes no new windows until the workers have finished "
            "others; `vtox doctor` checks"
        )
    except (redis.ConnectionError, redis.TimeoutError) as error:
        _fail(_unreachable(error))


def _unreachable(error: redis.RedisError) -> str:
    from vtox.store.client import unavailable

    why = unavailable(error)
    return str(why) if why.remedy else _running(f"the server does not respond: {error}")


def _running(observed: str) -> str:
    return f"{observed.rstrip('.')}; is it running? `vtox doctor` checks"


def _fail(message: str) -> None:
    text = Text("vtox: ", "bold red").append(message, "not bold default")
    console = Console(stderr=True, highlight=False)
    # A log gets one line, a terminal lines that break between words.
    console.print(text, soft_wrap=not console.is_terminal)
    sys.exit(2)
