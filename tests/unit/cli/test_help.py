"""The help shows every word that was written for it: rich treats [words] as markup."""

from collections.abc import Iterator

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from vtox.cli.main import application

APP = application()


def commands(
    command: object, path: tuple[str, ...] = ()
) -> Iterator[tuple[object, tuple[str, ...]]]:
    yield command, path
    if isinstance(command, TyperGroup):
        context = command.make_context("vtox", [], resilient_parsing=True)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*path, name))


ALL = {" ".join(path): command for command, path in commands(get_command(APP))}


@pytest.mark.parametrize("path", ALL)
def test_help_loses_no_word(path: str) -> None:
    output = CliRunner().invoke(APP, [*path.split(), "--help"], env={"COLUMNS": "300"}).stdout
    shown = " ".join(output.replace("│", " ").split())
    written = [getattr(ALL[path], "help", "") or ""]
    written += [getattr(p, "help", "") or "" for p in getattr(ALL[path], "params", ())]
    words = " ".join(written).replace("\\[", "[").split()
    assert [w for w in words if w not in shown] == []


@pytest.mark.parametrize(
    ("typed", "completed"), [("vtox exp", "export"), ("vtox export --ma", "--machine")]
)
def test_the_shell_completes_commands_and_options(typed: str, completed: str) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    done = CliRunner().invoke(
        APP, [], env=words | {"_VTOX_COMPLETE": "complete_bash"}, prog_name="vtox"
    )
    assert done.stdout.split() == [completed]


def test_an_argument_is_bracketed_once() -> None:
    output = CliRunner().invoke(APP, ["dead-letters", "replay", "--help"]).stdout
    assert "[ID]..." in output
    assert "[[ID]" not in output
