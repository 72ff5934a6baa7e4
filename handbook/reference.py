"""The reference: settings, commands, HTTP, codes, metrics, Python, modules, from the code."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main
from typer.core import TyperGroup, TyperOption

import vtox
from api.shapes import metrics
from benchmarks.code_counts import house
from vtox.cli.main import application
from vtox.motor.words.catalogue import catalogue
from vtox.pipeline.configuration.settings import TABLES, Settings, variable

METHODS = ("get", "put", "post", "patch", "delete")
ROOT = Path(__file__).parents[1]
TABLES_ABOUT = {
    "keep": "How long something is kept, and up to which size; a row may give one of both. Change "
    "a row when memory or disk is short, or when somebody needs more of it.",
    "quota": "Windows and megabytes a second, or `none`. Change a row when a sender is faster, or "
    "cannot be trusted.",
    "energy_price": "What energy costs. Without a price no costs are shown.",
    "alarm_load": "How many alarms people can handle: alarm statistics warn above `most`.",
    "oidc": "Where people sign in: docs/howto/sign-in-by-oidc.md has each step.",
}
PACKAGES = ("vtox", "workers", "api")
# Tables of api/shapes/metrics.py whose metrics only rise.
COUNTERS = ("_QUEUE_COUNTERS", "_WORKER_COUNTERS")


def write_reference(folder: Path) -> None:
    """Write the pages of the reference."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.md").write_text("\n".join(_settings()) + "\n")
    (folder / "commands.md").write_text("\n".join(_commands()) + "\n")
    (folder / "http.md").write_text("\n".join(_http(folder.parent / "openapi.json")) + "\n")
    (folder / "python.md").write_text("\n".join(_python()) + "\n")
    (folder / "modules.md").write_text("\n".join(_modules()) + "\n")
    (folder / "codes.md").write_text("\n".join(_codes()) + "\n")
    (folder / "metrics.md").write_text("\n".join(_metrics()) + "\n")


def _settings() -> Iterator[str]:
    yield "# Settings\n"
    yield "Each is a variable of the environment; `vtox config show` has values and sources.\n"
    yield "| variable | default | what it is | change it when |"
    yield "|---|---|---|---|"
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=False)
        table = name in TABLES
        shown = "" if default in (None, "") or field.default_factory or table else f"`{default}`"
        extra = field.json_schema_extra
        when = extra["when"] if isinstance(extra, dict) else ""
        cells = (f"`{variable(name)}`", shown, _cell(field.description or ""), when)
        yield f"| {' | '.join(map(str, cells))} |"
    for name, about in TABLES_ABOUT.items():
        yield f"\n## The table {name}\n"
        yield f"{about}\n"
        yield "| variable | in TOML | default | what it is |"
        yield "|---|---|---|---|"
        for row, field in TABLES[name].model_fields.items():
            default = f"`{field.default}`" if str(field.default) else ""
            cells = (f"`{name}.{row}`", default, _cell(field.description or ""))
            yield f"| `{variable(name, row)}` | {' | '.join(cells)} |"


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
    yield "::: vtox.pipeline.client\n"


def _codes() -> Iterator[str]:
    yield "# Codes\n"
    yield "Every code with its sentence, where `{x}` is a value, and what to do.\n"
    chinese = catalogue("zh").sentences
    for topic, sentences in catalogue("en").topics.items():
        yield f"## {topic.replace('_', ' ').capitalize()}\n"
        yield "| code | sentence | what to do | in Chinese |"
        yield "|---|---|---|---|"
        for code, said in sentences.items():
            cells = (f"`{code}`", said.text, said.advice, chinese[code].text)
            yield f"| {' | '.join(_cell(c) for c in cells)} |"
        yield ""


def _metrics() -> Iterator[str]:
    yield "# Metrics\n"
    yield "Answered by `GET /metrics` of the API. A figure that is not known is absent.\n"
    yield "| metric | what it counts |"
    yield "|---|---|"
    for name, text in sorted(_metric_texts()):
        yield f"| `{name}` | {_cell(text)} |"


def _metric_texts() -> Iterator[tuple[str, str]]:
    """Yield names and texts of the source: of its tables, and of the families that it makes."""
    source = ast.parse((ROOT / "api/shapes/metrics.py").read_text())
    for node in source.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            table, of = ast.literal_eval(node.value), ast.unparse(node.targets[0])
            for key, said in table.items():
                name, text = said[:2] if isinstance(said, tuple) else (f"vtox_windows_{key}", said)
                yield f"{name}_total" if of in ("_WINDOWS", *COUNTERS) else name, text
    constants = {k: v for k, v in vars(metrics).items() if isinstance(v, str)}
    for call in (n for n in ast.walk(source) if isinstance(n, ast.Call)):
        texts = [
            constants.get(a.id) if isinstance(a, ast.Name) else getattr(a, "value", None)
            for a in call.args[:2]
        ]
        if len(texts) == 2 and str(texts[0]).startswith("vtox_"):
            counter = "Counter" in ast.unparse(call.func)
            yield f"{texts[0]}_total" if counter else str(texts[0]), str(texts[1])


def _modules() -> Iterator[str]:
    yield "# Modules\n"
    yield "Each folder and module, by the first sentence of its docstring, and who imports it from"
    yield "another room: a folder of `vtox`, or one at the top. The others are inside a room.\n"
    files = [f for name in (*PACKAGES, *house.TOOLS) for f in sorted((ROOT / name).rglob("*.py"))]
    users = house.users(ROOT, files)
    for package in PACKAGES:
        folders = sorted(p.parent for p in (ROOT / package).rglob("__init__.py"))
        for folder in folders:
            yield f"## {folder.relative_to(ROOT)}\n"
            yield f"{_first_sentence(folder / '__init__.py')}\n"
            if modules := sorted(p for p in folder.glob("*.py") if p.name != "__init__.py"):
                yield "| module | what it is | used by |"
                yield "|---|---|---|"
                for module in sorted(modules, key=lambda m: not users[m]):
                    what, by = _cell(_first_sentence(module)), ", ".join(sorted(users[module]))
                    yield f"| `{module.name}` | {what} | {by} |"
                yield ""


def _first_sentence(module: Path) -> str:
    text = ast.get_docstring(ast.parse(module.read_text())) or ""
    return " ".join(text.partition("\n\n")[0].split())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
