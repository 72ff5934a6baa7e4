"""The help shows every word that was written for it: rich treats [words] as markup."""

from collections.abc import Iterator

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from vtox.cli.main import application

APP = application()


def commands(
    command: object, path: tuple[str, ...] = ()
) -> Iterator[tuple[object, tuple[str, ...]]]:
    yield command, path
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*path, name))


ALL = {" ".join(path): command for command, path in commands(get_command(APP))}


@pytest.mark.parametrize("path", ALL)
def test_help_loses_no_word(path: str) -> None:
    output = CliRunner().invoke(APP, [*path.split(), "--help"], env={"COLUMNS": "300"}).stdout
    shown = " ".join(output.replace("│", " ").split())
    written = [getattr(ALL[path], "help", "") or ""]
    written += [getattr(p, "help", "") or "" for p in getattr(ALL[path], "params", ())]
    words = " ".join(written).replace("\\[", "[").split()
    assert [w for w in words if w not in shown] == []


def test_an_argument_is_bracketed_once() -> None:
    output = CliRunner().invoke(APP, ["dead-letters", "replay", "--help"]).stdout
    assert "[ID]..." in output
    assert "[[ID]" not in output
