"""Importing VTOX needs nothing and opens nothing, on a home folder where it has never run."""

import subprocess
import sys
from pathlib import Path

from tests.paths import ROOT
from tests.unit.test_architecture import KNOWN

# Run in a process of its own, because an audit hook cannot be removed. A path that is a number is
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
    # A typing error in a setting is the business of the command that needs it.
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
