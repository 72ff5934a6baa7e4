"""Installs the newest versions of packages into a folder's environment, above those of `.venv`.

    python .ci/newest.py FOLDER PACKAGE ...

The bounds are those of `pyproject.toml`. It prints each version and the locked one.
"""

import re
import subprocess
import sys
import sysconfig
import tomllib
from importlib.metadata import distributions
from pathlib import Path


def main(folder: Path, packages: list[str]) -> None:
    """Install, and print the versions."""
    locked = Path(sysconfig.get_path("purelib"))
    above = folder / "lib" / locked.parent.name / "site-packages"
    (above / "locked.pth").write_text(f"import site; site.addsitedir({str(locked)!r})\n")
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet"]
    options = ["--disable-pip-version-check", "--no-deps", "--ignore-installed"]
    subprocess.run([*pip, *options, *requirements(packages)], check=True)
    here, before = versions(above), versions(locked)
    for name in packages:
        print(f"{name} {here[name]} (locked {before[name]})", flush=True)


def requirements(packages: list[str]) -> list[str]:
    """Return the requirements of packages in the extra `fleet` of `pyproject.toml`."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    found = {re.split(r"[^\w.-]", t)[0]: t for t in project["optional-dependencies"]["fleet"]}
    return [found[name] for name in packages]


def versions(folder: Path) -> dict[str, str]:
    """Return name -> version of the packages installed in a folder."""
    return {d.name: d.version for d in distributions(path=[str(folder)])}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
