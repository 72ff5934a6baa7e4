"""Importing VTOX needs nothing and opens nothing, on a home folder where it has never run."""

import ast
import json
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.form.houses import KNOWN
from tests.paths import ROOT

OURS = ("vtox.", "workers.", "api.", "tests.")

# Run in a separate process, because an audit hook cannot be removed. A path that is a number is
# a file that is open already.
IMPORT_ALL = """
import importlib, os, sys
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def refuse(event, args):
    if event in ("os.mkdir", "os.remove", "socket.connect", "socket.bind", "subprocess.Popen"):
        raise AssertionError(f"{event} {args}")
    path = args[0] if args else ""
    if event == "open" and args[2] & WRITES and not isinstance(path, int):
        raise AssertionError(f"opens {args[0]} for writing")
sys.addaudithook(refuse)
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except BaseException as error:
        sys.exit(f"import {name}: {type(error).__name__}: {error}")
import vtox
vtox.app.conf.task_queues
"""


def test_importing_any_module_needs_no_server_file_or_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    # Only the command that needs a setting may fail at a typing error in it.
    env = {"HOME": str(home), "PYTHONPATH": str(ROOT), "VTOX_API_PORT": "none"}
    modules = sorted(KNOWN - {"vtox.__main__"})  # which is the command itself
    ended = subprocess.run(
        [sys.executable, "-B", "-c", IMPORT_ALL, *modules],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    assert ended.returncode == 0
    assert list(home.iterdir()) == []


# Modules loaded, and the processor time of this process meanwhile: a busy host takes no longer.
WEIGH = """
import json, sys, time
import numpy, redis
before, began_s = {m.partition(".")[0] for m in sys.modules}, time.process_time()
exec(sys.argv[1])
new = {m.partition(".")[0] for m in sys.modules} - before - sys.stdlib_module_names
processes = ("bridge", "cluster", "monitoring", "queues")
heavy = ("vtox.reporting", *(f"vtox.pipeline.{p}" for p in processes))
parts = [m for m in sys.modules if m.startswith(heavy)]
print(json.dumps([sorted(new | set(parts)), time.process_time() - began_s]))
"""
# JSON of the wire, and the codec of stored values.
CODECS = {"orjson", "msgspec"}
SCIPY = {"scipy", "_cyutility", "_ni_label", "charset_normalizer", "cython_runtime"}


@pytest.mark.parametrize(
    ("statement", "allowed", "limit_s"),
    [
        ("import vtox.client", CODECS, 2.0),
        ("from vtox import read", set(), 2.0),
        ("from vtox import diagnose", SCIPY | CODECS, 8.0),
    ],
)
def test_what_others_import_is_light(statement: str, allowed: set[str], limit_s: float) -> None:
    command = [sys.executable, "-c", WEIGH, statement]
    weighed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    loaded, took_s = json.loads(weighed.stdout)
    heavy = {name for name in loaded if not name.startswith(("_cython_", "_sysconfigdata"))}
    assert heavy - {"vtox"} <= allowed
    assert took_s < limit_s


def test_names_that_tools_import_from_us_are_there() -> None:
    """No type checker reads the tools: a name that moved would be missed when one is started."""
    missing = []
    for folder in ("benchmarks", "evaluation", "faults", "handbook", "tests/fuzz"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and str(node.module).startswith(OURS):
                    names = {a.name for a in node.names} - set(dir(import_module(node.module)))
                    missing += [(path.name, n) for n in names if not _is_module(node.module, n)]
    assert missing == []


def _is_module(package: str, name: str) -> bool:
    is_package = hasattr(import_module(package), "__path__")
    return is_package and find_spec(f"{package}.{name}") is not None
