"""The command `vtox`: its commands, its version, and how it reports errors."""

import sys
from importlib import import_module
from typing import Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from vtox.cli.shared.fleet_packages import check_fleet, fleet_is_installed, fleet_remedy
from vtox.motor.errors import VtoxError
from vtox.pipeline.configuration.version import version, with_vtox_command
from vtox.pipeline.errors import ServerUnavailable

# The folder of each command, in the order of the help.
_PLACES = """processes.up processes.drain simulation.demo upkeep.status upkeep.doctor
    fleet.machines fleet.baseline fleet.alarms fleet.energy recordings.replay
    simulation.simulate recordings.inspect recordings.diagnose recordings.report
    recordings.verify upkeep.dead-letters upkeep.export upkeep.backup upkeep.restore
    upkeep.config upkeep.keys upkeep.audit processes.server processes.bridge processes.recorder
    processes.notify processes.mqtt processes.mcp processes.opcua
    processes.flower"""
# Command -> its module.
COMMANDS = {place.partition(".")[2]: place.replace("-", "_") for place in _PLACES.split()} | {
    "restore": "upkeep.backup",
}
# They need the packages of a small installation only.
OF_FILES = ("inspect", "diagnose", "verify")


class _Commands(TyperGroup):
    """The commands, each loaded when it is run, described or completed.

    So `vtox bridge` stays small, and the shell waits a moment only.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of commands that work here, in the order of the help."""
        return list(COMMANDS) if fleet_is_installed() else list(OF_FILES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command; of an unknown name load all, for one is suggested.

        Raises `InputError`: it needs packages that are not installed.
        """
        if cmd_name in COMMANDS and cmd_name not in OF_FILES:
            check_fleet(f"`vtox {cmd_name}`")
        for name in [cmd_name] if cmd_name in COMMANDS else self.list_commands(ctx):
            if name not in self.commands:
                self.commands[name] = _loaded(name)
        return super().get_command(ctx, cmd_name)


def application() -> typer.Typer:
    """Return the command line."""
    return typer.Typer(
        name="vtox",
        cls=_Commands,
        help="Condition monitoring for fleets of electric motors: windows in, diagnoses out.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        callback=vtox,
        epilog=None if fleet_is_installed() else fleet_remedy(),
    )


def add(app: typer.Typer, command: str) -> None:
    """Add a command, or a group: its module's `NAME`, or `NAME_command` if that is taken."""
    module, name = import_module(f"vtox.cli.{COMMANDS[command]}"), command.replace("-", "_")
    found = getattr(module, f"{name}_command", None) or getattr(module, name)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=command)
    else:
        app.command(command)(found)


def _loaded(command: str) -> Any:
    alone = typer.Typer(add_completion=False)
    add(alone, command)
    return typer.main.get_group(alone).commands[command]


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
        application()()
    except ServerUnavailable as error:
        _fail(str(error) if error.remedy else _running(error.observed))
    except VtoxError as error:
        _fail(str(error))
    except Exception as error:
        if (text := _server_error(error)) is None:
            raise
        _fail(text)


def _server_error(error: Exception) -> str | None:
    """Return the sentence for an error of the server's client, None for another error."""
    if not fleet_is_installed():
        return None
    import redis  # not at the top: a small installation has none

    if isinstance(error, redis.AuthenticationError):
        return f"the server refuses the user or password of VTOX_REDIS_URL: {error}"
    if isinstance(error, redis.OutOfMemoryError):
        return (
            "the server is out of memory and takes no new windows until the workers have finished "
            "others; `vtox doctor` checks"
        )
    if not isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return None
    from vtox.pipeline.store.server.client import unavailable

    why = unavailable(error)
    return str(why) if why.remedy else _running(f"the server does not respond: {error}")


def _running(observed: str) -> str:
    return f"{observed.rstrip('.')}; is it running? `vtox doctor` checks"


def _fail(message: str) -> None:
    said = with_vtox_command(message)
    text = Text("vtox: ", "bold red").append(said, "not bold default")
    console = Console(stderr=True, highlight=False)
    # A log gets one line, a terminal lines that break between words.
    console.print(text, soft_wrap=not console.is_terminal)
    sys.exit(2)
