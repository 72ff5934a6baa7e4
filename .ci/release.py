"""Makes a release in `dist`: wheel, sdist, and the SBOM (CycloneDX).

    make release

The checkout must be committed, and CHANGELOG.md must have a section of the version, which is
`RELEASE` in vtox/pipeline/configuration/version.py.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from licences import sbom

from vtox.pipeline.configuration.version import RELEASE

DIST = Path("dist")


def build(folder: Path, checkout: Path | None = None) -> Path:
    """Build wheel and sdist of a checkout, else of this one, into a folder; return the wheel."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder.absolute())]
    subprocess.run(command, cwd=checkout, check=True)
    (wheel,) = folder.glob("*.whl")
    (_,) = folder.glob("*.tar.gz")
    return wheel


def main() -> None:
    """Check, build, and list the files."""
    if subprocess.check_output(["git", "status", "--porcelain"]):
        sys.exit("release: there are changes that are not committed")
    if f"## [{RELEASE}]" not in Path("CHANGELOG.md").read_text():
        sys.exit(f"release: CHANGELOG.md has no section [{RELEASE}]")
    shutil.rmtree(DIST, ignore_errors=True)
    wheel = build(DIST)
    wheel.with_suffix(".sbom.json").write_text(sbom(wheel.name.split("-")[1]))
    for file in sorted(DIST.iterdir()):
        print(f"{file}  {file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
