"""Vulnerabilities of the locked packages.

The tool is installed into a separate environment, so that VTOX does not depend on it. If it cannot
be installed, or its index does not answer, the script prints this and does not fail.
"""

import json
import subprocess
import sys
import venv
from pathlib import Path

TOOLS = Path(".venv/tools")
LOCKS = ("requirements.lock", "extras.lock")


def installed(package: str, program: str) -> Path | None:
    """Return the program of a package; None if it cannot be installed."""
    path = TOOLS / "bin" / program
    if not path.exists():
        if not (TOOLS / "bin/pip").exists():
            venv.create(TOOLS, with_pip=True)
        quiet = ["install", "--quiet", "--disable-pip-version-check", package]
        subprocess.run([TOOLS / "bin/pip", *quiet], check=False, capture_output=True)
    return path if path.exists() else None


def audit() -> int:
    """Print the known vulnerabilities of the locked packages; 1 if one of them is vulnerable."""
    program = installed("pip-audit", "pip-audit")
    if program is None:
        print("audit skipped: pip-audit cannot be installed here")
        return 0
    options = ["--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(
        [program, *(word for lock in LOCKS for word in ("-r", lock)), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        print(f"audit skipped: the index of vulnerabilities is not reachable ({last[:120]})")
        return 0
    audited = [p for p in packages if "skip_reason" not in p]
    if not audited:
        print("audit skipped: the index of vulnerabilities answers for none of the packages")
        return 0
    found = [(p["name"], p["version"], v) for p in audited for v in p["vulns"]]
    for name, version, v in found:
        fixed = ", ".join(v["fix_versions"]) or "no version yet"
        print(f"{name} {version}: {v['id']}, fixed in {fixed}")
    print(
        f"{len(audited)} of {len(packages)} locked packages audited, {len(found)} vulnerabilities"
    )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(audit())
