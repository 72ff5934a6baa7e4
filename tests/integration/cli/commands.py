"""Commands run in this process, as `vtox ...` runs them."""

import json
import shlex
from typing import Any

from typer.testing import CliRunner

from vtox.cli.main import application


def run(command: str, *, columns: int = 100) -> str:
    """Run `vtox COMMAND`, which ends with 0; return its output, raise its error."""
    env = {"COLUMNS": str(columns)}
    result = CliRunner().invoke(application(), shlex.split(command), env=env)
    if result.exception:
        raise result.exception
    return result.stdout


def printed_json(command: str) -> Any:
    """Run `vtox COMMAND --json`, and return its parsed output."""
    return json.loads(run(f"{command} --json"))
