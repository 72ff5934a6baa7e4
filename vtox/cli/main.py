"""The command `vtox`: its commands, its version, and how its errors are said."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version

import redis
import typer
from rich.console import Console
from rich.text import Text

from vtox.errors import ServerUnavailable, VtoxError

LOOK_FURTHER = "; is it running? `vtox doctor` looks further"
# Command -> module of `vtox.cli`, in the order of the help. Each module has a `register`.
COMMANDS = {
    "up": "up",
    "demo": "demo",
    "status": "status",
    "doctor": "doctor",
    "machines": "machines",
    "baseline": "machines",
    "replay": "replay",
    "simulate": "simulate",
    "diagnose": "diagnose",
    "evidence": "evidence",
    "dead-letters": "dead_letters",
    "config": "config",
    "keys": "keys",
    "server": "server",
    "bridge": "bridge",
}


def application(arguments: Sequence[str] = ()) -> typer.Typer:
    """Return the command line; with the command's name first, only that command's module loads.

    It is what makes a small process of `vtox bridge`, and a quick one of the others.
    """
    app = typer.Typer(
        name="vtox",
        help="Condition monitoring for fleets of electric motors: windows in, verdicts out.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        callback=vtox,
    )
    named = [COMMANDS[a] for a in arguments[:1] if a in COMMANDS]
    for module in named or dict.fromkeys(COMMANDS.values()):
        import_module(f"vtox.cli.{module}").register(app)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vtox {version('vtox')}")
        raise typer.Exit


def vtox(
    _: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Show the version."
    ),
) -> None:
    pass


def main() -> None:
    """Run the command line; what VTOX can explain is one clear message and exit status 2."""
    try:
        application(sys.argv[1:])()
    except ServerUnavailable as error:
        _fail(str(error).rstrip(".") + ("" if "`vtox" in str(error) else LOOK_FURTHER))
    except VtoxError as error:
        _fail(str(error))
    except redis.AuthenticationError as error:
        _fail(f"the server refuses VTOX_REDIS_URL's user or password: {error}")
    except redis.OutOfMemoryError:
        _fail(
            "the server is out of memory and takes no new windows until the workers have finished "
            "others; `vtox doctor` looks further"
        )
    except (redis.ConnectionError, redis.TimeoutError) as error:
        _fail(f"the server does not answer: {error}".rstrip(".") + LOOK_FURTHER)


def _fail(message: str) -> None:
    text = Text("vtox: ", "bold red").append(message, "not bold default")
    Console(stderr=True, highlight=False, soft_wrap=True).print(text)
    sys.exit(2)
