"""The command `vtox`: its commands, its version, and how it reports errors."""

import sys
from collections.abc import Sequence
from importlib import import_module

import redis
import typer
from rich.console import Console
from rich.text import Text

from vtox.errors import ServerUnavailable, VtoxError
from vtox.version import version

# The folder of each command, in the order of the help, which lists groups of commands last.
_PLACES = """processes.up processes.drain simulation.demo upkeep.status upkeep.doctor fleet.machines
    fleet.baseline fleet.alarms fleet.energy recordings.replay simulation.simulate
    recordings.inspect recordings.diagnose recordings.report recordings.verify upkeep.dead-letters
    upkeep.backup upkeep.restore upkeep.config upkeep.keys upkeep.audit processes.server
    processes.bridge processes.recorder processes.notify processes.mqtt processes.flower"""
# Command -> what adds it.
COMMANDS = {
    place.partition(".")[2]: f"{place.replace('-', '_')}:register" for place in _PLACES.split()
} | {
    "baseline": "fleet.machines:register_baseline",
    "restore": "upkeep.backup:register_restore",
}


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
    module, _, register = COMMANDS[command].partition(":")
    getattr(import_module(f"vtox.cli.{module}"), register)(app)


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
    from vtox.store.server.client import unavailable

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
