"""The reference: settings, commands, HTTP interface, Python and modules, from the code itself."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main
from typer.core import TyperGroup, TyperOption

import vtox
from vtox.cli.main import application
from vtox.settings import Settings

METHODS = ("get", "put", "post", "patch", "delete")
ROOT = Path(__file__).parents[1]
PACKAGES = ("vtox", "workers", "api")


def write_reference(folder: Path) -> None:
    """Write the pages of the reference."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.md").write_text("\n".join(_settings()) + "\n")
    (folder / "commands.md").write_text("\n".join(_commands()) + "\n")
    (folder / "http.md").write_text("\n".join(_http(folder.parent / "openapi.json")) + "\n")
    (folder / "python.md").write_text("\n".join(_python()) + "\n")
    (folder / "modules.md").write_text("\n".join(_modules()) + "\n")


def _settings() -> Iterator[str]:
    yield "# Settings\n"
    yield "Each is a variable of the environment; `vtox config show` has values and sources.\n"
    yield "| variable | default | what it is |"
    yield "|---|---|---|"
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=False)
        shown = "" if default in (None, "") or field.default_factory else f"`{default}`"
        yield f"| `VTOX_{name.upper()}` | {shown} | {_cell(field.description or '')} |"


def _commands() -> Iterator[str]:
    yield "# Commands\n"
    yield from _command(typer.main.get_command(application()), "vtox")


def _command(command: Any, name: str) -> Iterator[str]:
    context = command.make_context(name, [], resilient_parsing=True)
    if isinstance(command, TyperGroup):
        for part in command.list_commands(context):
            if (found := command.get_command(context, part)) and not found.hidden:
                yield from _command(found, f"{name} {part}")
        return
    yield f"## {name}\n"
    yield f"{command.help or ''}\n"
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```\n{name} {usage}\n```\n"
    if options := [p for p in command.params if isinstance(p, TyperOption) and not p.hidden]:
        yield "| option | what it does |"
        yield "|---|---|"
        for o in options:
            yield f"| {', '.join(f'`{n}`' for n in o.opts)} | {_cell(o.help or '')} |"
        yield ""


def _http(description: Path) -> Iterator[str]:
    api: dict[str, Any] = json.loads(description.read_text())
    yield "# HTTP interface\n"
    yield (
        "The running API has it with each schema at `/openapi.json`, and a page to try it at "
        "`/docs`. A problem is answered as `application/problem+json`.\n"
    )
    by_tag: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, item in api["paths"].items():
        for method in METHODS:
            if operation := item.get(method):
                by_tag.setdefault((operation.get("tags") or ["system"])[0], []).append(
                    (method.upper(), path, operation)
                )
    for tag, operations in sorted(by_tag.items()):
        yield f"## {tag}\n"
        yield "| request | what it does | query |"
        yield "|---|---|---|"
        for method, path, operation in operations:
            names = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
            query = ", ".join(f"`{n}`" for n in names)
            text = operation.get("description") or operation.get("summary") or ""
            yield f"| `{method} {path}` | {_cell(text.split(chr(10) * 2)[0])} | {query} |"
        yield ""


def _python() -> Iterator[str]:
    yield "# Python\n"
    yield "What a program imports; everything else may change without notice.\n"
    homes = dict(vtox._HOMES)
    for name in sorted(n for n in homes if n != "app"):
        yield f"::: {homes[name]}.{name}\n"
    yield "::: vtox.client\n"


def _modules() -> Iterator[str]:
    yield "# Modules\n"
    yield "Each folder and module, by the first sentence of its docstring.\n"
    for package in PACKAGES:
        folders = sorted(p.parent for p in (ROOT / package).rglob("__init__.py"))
        for folder in folders:
            yield f"## {folder.relative_to(ROOT)}\n"
            yield f"{_first_sentence(folder / '__init__.py')}\n"
            if modules := sorted(p for p in folder.glob("*.py") if p.name != "__init__.py"):
                yield "| module | what it is |"
                yield "|---|---|"
                for module in modules:
                    yield f"| `{module.name}` | {_cell(_first_sentence(module))} |"
                yield ""


def _first_sentence(module: Path) -> str:
    text = ast.get_docstring(ast.parse(module.read_text())) or ""
    return " ".join(text.partition("\n\n")[0].split())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
