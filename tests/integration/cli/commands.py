"""Commands run in this process, as `vtox ...` runs them."""

import json
import shlex
from typing import Any

from typer.testing import CliRunner

from vtox.cli.main import application


def run(command: str) -> str:
    """Run `vtox COMMAND` on a terminal of 60 columns; return what it prints, raise what it raises.

    A command ends with the status 0.
    """
    result = CliRunner().invoke(application(), shlex.split(command), env={"COLUMNS": "60"})
    if result.exception:
        raise result.exception
    return result.stdout


def printed_json(command: str) -> Any:
    """Run `vtox COMMAND --json`, and return what it prints."""
    return json.loads(run(f"{command} --json"))
