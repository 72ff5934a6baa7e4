"""Commands of the server are in `vtox/pipeline/store/` alone; elsewhere clients are opened and
handed on.

All modules may connect, and catch the errors of a client.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.commands.core import CoreCommands

from tests.paths import ROOT

SOURCES = [
    p
    for folder in ("vtox", "workers", "api")
    for p in (ROOT / folder).rglob("*.py")
    if not p.is_relative_to(ROOT / "vtox/pipeline/store")
]
OTHERS = ("pipeline", "transaction", "register_script", "pubsub", "execute_command")
COMMANDS = {n for n in dir(CoreCommands) if not n.startswith("_")} | set(OTHERS)
# Names of methods of dictionaries, files, processes and pages too: commands only of a client.
PLAIN_WORDS = {n for n in COMMANDS if not n.startswith(("x", "h", "z")) and n not in OTHERS}
CLIENTS = ("client", "pipe", "redis")
# Kombu's transport makes its own clients, which the server must not refuse.
ALLOWED = {"vtox/pipeline/queues/celery_transport.py"}


def receiver(node: ast.expr) -> str:
    """The last name before a method's: `client` of `self.client` and of `client()`."""
    if isinstance(node, ast.Call):
        return receiver(node.func)
    return getattr(node, "attr", getattr(node, "id", ""))


def commands(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name, of = node.func.attr, receiver(node.func.value)
            if name in COMMANDS and (name not in PLAIN_WORDS or of.endswith(CLIENTS)):
                yield f"{of}.{name}"


def uses_of_redis(tree: ast.AST) -> Iterator[str]:
    """Uses of the package `redis` but for its errors."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "redis":
            yield f"from {node.module} import"
        if isinstance(node, ast.Attribute) and receiver(node.value) == "redis":
            if not node.attr.endswith("Error") and node.attr != "exceptions":
                yield f"redis.{node.attr}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_command_outside_the_store(path: Path) -> None:
    if str(path.relative_to(ROOT)) in ALLOWED:
        return
    tree = ast.parse(path.read_text())
    assert [*commands(tree), *uses_of_redis(tree)] == []


@pytest.mark.parametrize(
    "line",
    [
        "self.client.get('a')",
        "backend.client().xadd('a', {})",
        "pipe.hset('a', 'b', 1)",
        "anything.zadd('a', {})",
        "client.pipeline()",
        "redis.Redis()",
    ],
)
def test_commands_are_recognised(line: str) -> None:
    tree = ast.parse(line)
    assert [*commands(tree), *uses_of_redis(tree)]


@pytest.mark.parametrize("line", ["table.get('a')", "time.time()", "client.close()", "x.expire(1)"])
def test_plain_words_are_no_commands(line: str) -> None:
    assert not [*commands(ast.parse(line))]
