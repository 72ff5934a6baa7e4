"""`make audit` fails for a vulnerable package only, and no answer never counts as safe."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT

VULNERABLE = {
    "name": "a",
    "version": "1",
    "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}],
}
SAFE = {"name": "b", "version": "1", "vulns": []}
SKIPPED = {"name": "c", "skip_reason": "not in the index"}


@pytest.mark.parametrize(
    ("packages", "status", "words"),
    [
        ([VULNERABLE, SAFE], 1, "a 1: CVE-1, fixed in 2"),
        ([SAFE, SKIPPED], 0, "1 of 2 locked packages audited, 0 vulnerabilities"),
        ([SKIPPED], 0, "audit skipped"),
        (None, 0, "audit skipped"),
    ],
)
def test_what_the_audit_says(
    packages: list[Any] | None, status: int, words: str, tmp_path: Path
) -> None:
    # Replaces pip-audit, whose answers change from day to day.
    tool = tmp_path / ".venv/tools/bin/pip-audit"
    tool.parent.mkdir(parents=True)
    answer = "no such host" if packages is None else json.dumps({"dependencies": packages})
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\n")
    tool.chmod(0o755)
    done = subprocess.run(
        [sys.executable, ROOT / ".ci/audit.py", "audit"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, words in done.stdout) == (status, True), done.stdout + done.stderr
