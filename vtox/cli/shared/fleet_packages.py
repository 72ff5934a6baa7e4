"""The packages that a fleet needs and a file does not: the extra `fleet`."""

from functools import cache
from importlib.util import find_spec

from rich.markup import escape

from vtox.motor.errors import InputError
from vtox.pipeline.configuration.version import install_command

EXTRA = "fleet"
# One of its packages for each house that needs them: tasks, server, settings, pages.
_PACKAGES = ("celery", "redis", "pydantic_settings", "jinja2")


@cache
def fleet_is_installed() -> bool:
    """Return whether all commands work here, not only those of files."""
    return all(find_spec(name) for name in _PACKAGES)


def fleet_remedy() -> str:
    """Return how to install the rest, as a note under the help."""
    return escape(f"These commands read files. For a fleet (vtox up), install all: {_command()}")


def check_fleet(use: str) -> None:
    """Make sure that the packages of a fleet are there.

    Raises `InputError`: they are not.
    """
    if not fleet_is_installed():
        raise InputError(
            f"{use} needs packages that this small installation does not have", remedy=_command()
        )


def _command() -> str:
    return install_command(EXTRA)
