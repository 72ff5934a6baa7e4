"""The command `vtox`: its commands, its version, and how its errors are said."""

import sys
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec

import redis
import typer
from rich.console import Console

from vtox.errors import VtoxError

MODULES = (
    "up",
    "demo",
    "status",
    "machines",
    "replay",
    "simulate",
    "diagnose",
    "deadletters",
    "doctor",
    "config",
    "keys",
    "server",
    "bridge",
)

app = typer.Typer(
    name="vtox",
    help="Condition monitoring for fleets of electric motors: windows in, verdicts out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vtox {version('vtox')}")
        raise typer.Exit


@app.callback()
def vtox(
    _: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Show the version."
    ),
) -> None:
    pass


for _name in MODULES:
    if find_spec(f"vtox.cli.{_name}"):
        import_module(f"vtox.cli.{_name}").register(app)


def main() -> None:
    """Run the command line; what VTOX can explain is one clear message and exit status 2."""
    try:
        app()
    except VtoxError as error:
        _fail(str(error))
    except redis.AuthenticationError as error:
        _fail(f"the server refuses VTOX_REDIS_URL's user or password: {error}")
    except (redis.ConnectionError, redis.TimeoutError) as error:
        _fail(f"the server does not answer: {error}; is it running? `vtox doctor` looks further")


def _fail(message: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(
        f"[bold red]vtox:[/bold red] {message}" if sys.stderr.isatty() else f"vtox: {message}",
        markup=sys.stderr.isatty(),
    )
    sys.exit(2)
