"""`python -m handbook [FOLDER]`: build the site; needs `make setup EXTRAS=docs`.

It fails on a link that leads nowhere, and on a page that asks another host for anything.
"""

import re
import subprocess
import sys
from pathlib import Path

from handbook.reference import write_reference
from handbook.search import write_index, write_script
from handbook.sources import ROOT, gather

BUILD = ROOT / "build" / "handbook"
# Addresses that a browser loads by itself; a link to click may lead anywhere.
_LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//[^"]*"|<link\b[^>]*\bhref="(?:https?:)?//[^"]*"|url\(['"]?(?:https?:)?//"""
)


def main() -> None:
    """Build, check, and say where the site is."""
    pages = BUILD / "pages"
    gather(pages)
    write_reference(pages / "reference")
    write_script(pages)
    config = BUILD / "zensical.toml"
    config.write_text((ROOT / "handbook" / "zensical.toml").read_text())
    zensical = Path(sys.executable).with_name("zensical")
    built = subprocess.run([str(zensical), "build", "--strict", "-c", "-f", str(config)])
    if built.returncode:
        sys.exit("the site was not built")
    write_index(BUILD / "site")
    if foreign := foreign_requests(BUILD / "site"):
        sys.exit("pages that ask another host:\n" + "\n".join(foreign))
    print(f"open {(BUILD / 'site' / 'index.html').relative_to(Path.cwd())}")


def foreign_requests(site: Path) -> list[str]:
    """Return the places in which a page of the site loads something from another host."""
    found = []
    for file in sorted(site.rglob("*")):
        if file.suffix in (".html", ".css") and (m := _LOADED.search(file.read_text())):
            found.append(f"{file.relative_to(site)}: {m[0][:120]}")
    return found


if __name__ == "__main__":
    main()
