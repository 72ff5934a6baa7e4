"""The version of VTOX, which names the commit, and how to install more of it.

The build of a package reads the version here too.
"""

import json
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from shlex import quote
from shutil import which
from urllib.parse import unquote, urlsplit

RELEASE = "0.3.0.dev0"


@cache
def version() -> str:
    """Return the release with the commit: that of the checkout, else that of the build."""
    if commit := commit_of(Path(__file__).parents[3]):
        return f"{RELEASE}+g{commit}"
    try:
        return metadata.version("vtox")
    except metadata.PackageNotFoundError:  # built from a folder without history
        return RELEASE


def commit_of(folder: Path) -> str:
    """Return the commit of a checkout; empty if there is none, or no git to ask."""
    # Asked by its path, git answers also for a folder of another user.
    command = ["git", f"--git-dir={folder / '.git'}", "rev-parse", "--short=7", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""


def install_command(extra: str) -> str:
    """Return the command that installs an extra from where VTOX came: its checkout or its wheel.

    No index has VTOX. An installer notes where a package came from (PEP 610).
    """
    try:
        noted = metadata.distribution("vtox").read_text("direct_url.json")
        origin = json.loads(noted or "{}")
        path = unquote(urlsplit(origin.get("url", "")).path)
    except (metadata.PackageNotFoundError, ValueError, AttributeError):
        origin, path = {}, ""
    if path and Path(sys.prefix) == Path(path) / ".venv":
        return f"make -C {quote(path)} setup EXTRAS={extra}"
    # The pip of this installation: that of the PATH may be of a system that refuses it.
    pip = f"{quote(sys.executable)} -m pip install"
    editable = "-e " if origin.get("dir_info", {}).get("editable") else ""
    return f'{pip} {editable}"{path or "vtox"}[{extra}]"'


def with_vtox_command(text: str) -> str:
    """Return a text for a terminal, its commands `vtox ...` as this installation has them."""
    return text.replace("`vtox ", f"`{_vtox_command()} ")


def _vtox_command() -> str:
    """Return how this installation is called: `vtox` alone only if the PATH leads to it."""
    here = Path(sys.executable).with_name("vtox")
    found = which("vtox")
    if found and Path(found).resolve() == here.resolve():
        return "vtox"
    if not here.exists():
        return f"{quote(sys.executable)} -m vtox"
    inside = here.is_relative_to(Path.cwd())
    return quote(str(here.relative_to(Path.cwd()) if inside else here))
