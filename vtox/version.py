"""The version of VTOX, which names the commit. The build of a package reads it here too."""

import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

RELEASE = "0.1.0"


@cache
def version() -> str:
    """Return the release with the commit: that of the checkout, else that of the build."""
    if commit := commit_of(Path(__file__).parent.parent):
        return f"{RELEASE}+g{commit}"
    try:
        return metadata.version("vtox")
    except metadata.PackageNotFoundError:  # built from a folder without history
        return RELEASE


def commit_of(folder: Path) -> str:
    """Return the commit of a checkout; empty where there is none, or no git to ask."""
    # Asked by its path, git answers also for a folder of another user.
    command = ["git", f"--git-dir={folder / '.git'}", "rev-parse", "--short=7", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""
