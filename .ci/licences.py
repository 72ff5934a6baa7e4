"""Licences of the packages that VTOX needs to run, and the SBOM of a release (CycloneDX).

    python .ci/licences.py     # writes docs/reference/licences.csv, from the installed packages

The packages are those of `extras.lock`: the wheel and every extra for users needs them, so no tool
of tests or builds is among them. A package that is not installed here keeps its row: it is for
another system, or large (pyarrow, asammdf).
"""

import csv
import json
import re
import sys
import tomllib
from importlib.metadata import Distribution, distributions
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from install import blocks_of, needed, normalised, parents

LIST = Path("docs/reference/licences.csv")
LOCK = Path("extras.lock")
# Extras that no user of VTOX needs.
OF_DEVELOPERS = {"dev", "link", "evaluate"}
# Words of older metadata -> the identifier of SPDX. "BSD" alone is decided by the licence's text.
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "BSD 3-Clause License": "BSD-3-Clause",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "New BSD": "BSD-3-Clause",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
SPDX |= {i: i for i in ("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0")}
BSD = ("BSD", "BSD License")
PREFIX = "License :: OSI Approved :: "


# The script in api/static; its first line names the version.
UPLOT = Path("api/static/uPlot.iife.min.js")


class Row(NamedTuple):
    """A package: one or, by Python, several versions, its licence, and the extras that need it."""

    package: str
    versions: str
    licence: str
    needed_by: str


def rows() -> list[Row]:
    """Return the packages by name.

    Raises `SystemExit`: a package is not installed, and the list has not this version of it.
    """
    kept = {row.package: row for row in listed()}
    here = {normalised(d.name): d for d in distributions()}
    blocks, found = blocks_of(LOCK.read_text()), []
    for name, extras in runtime_packages().items():
        versions = ", ".join(re.findall(r"^[\w.-]+==(\S+)", blocks[name], re.MULTILINE))
        if name in here:
            licence = licence_of(here[name])
        elif name in kept and kept[name].versions == versions:
            licence = kept[name].licence
        else:
            sys.exit(f"licences: {name} {versions} is not installed here: add its row to {LIST}")
        found.append(Row(name, versions, licence, extras))
    return [*sorted(found), uplot()]


def uplot() -> Row:
    """Return the package of npm that the wheel contains."""
    version = re.search(r"uPlot \(v([\d.]+)\)", UPLOT.read_text())[1]  # type: ignore[index]
    return Row("uplot (npm, in the wheel)", version, "MIT", "vtox")


def listed() -> list[Row]:
    """Return the rows of the list."""
    _, *found = csv.reader(LIST.read_text().splitlines())
    return [Row(*row) for row in found]


def runtime_packages() -> dict[str, str]:
    """Return package -> `vtox` if the wheel needs it, else `fleet`, else the extras that do."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    wanted = {"vtox": project["dependencies"], **project["optional-dependencies"]}
    blocks, found = blocks_of(LOCK.read_text()), {}
    for extra, texts in wanted.items():
        if extra in OF_DEVELOPERS:
            continue
        for name in needed({normalised(re.match(r"[\w.-]+", t)[0]) for t in texts}, blocks):
            if found.get(name) not in ("vtox", "fleet"):
                found[name] = f"{found[name]} {extra}" if name in found else extra
    return found


def licence_of(package: Distribution) -> str:
    """Return the licence of an installed package as an expression of SPDX.

    Raises `SystemExit`: its metadata names none that is known here.
    """
    if expression := package.metadata.get("License-Expression"):
        return expression
    classifiers = package.metadata.get_all("Classifier") or []
    named = [c.removeprefix(PREFIX) for c in classifiers if c.startswith(PREFIX)]
    for name in (package.metadata.get("License") or "", *(named if len(named) == 1 else ())):
        if name in SPDX:
            return SPDX[name]
        if name in BSD:
            return bsd_of(package)
    if package.metadata.get("License") == "Dual License":
        return " OR ".join(sorted(SPDX.get(n) or bsd_of(package) for n in named))
    sys.exit(f"licences: {package.name} names {package.metadata.get('License')!r} and {named}")


def bsd_of(package: Distribution) -> str:
    """Return the BSD licence of a package, by the clause that only the longer one has.

    Raises `SystemExit`: the package has no text of its licence.
    """
    files = [f for f in package.files or () if f.name.startswith("LICENSE")]
    if not files:
        sys.exit(f"licences: {package.name} has a BSD licence without its text")
    words = " ".join(" ".join(f.read_text().split()) for f in files)
    return "BSD-3-Clause" if "used to endorse or promote" in words else "BSD-2-Clause"


def text(found: list[Row]) -> str:
    """Return the list as CSV."""
    lines = StringIO()
    csv.writer(lines, lineterminator="\n").writerows([Row._fields, *found])
    return lines.getvalue()


def sbom(release: str) -> str:
    """Return the SBOM of a release: packages, hashes, licences, and which package needs which."""
    blocks, components, needs = blocks_of(LOCK.read_text()), [], {}
    *python, script = listed()
    found = {row.package: row for row in python}
    refs = {n: [f"pkg:pypi/{n}@{v}" for v in row.versions.split(", ")] for n, row in found.items()}
    for name, row in found.items():
        for pinned in re.split(r"^(?=[\w.-]+==)", blocks[name], flags=re.MULTILINE)[1:]:
            version = re.match(r"[\w.-]+==(\S+)", pinned)[1]  # type: ignore[index]
            hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", pinned)
            components.append(component(row, f"pkg:pypi/{name}@{version}", hashes))
        for parent in parents(blocks[name]) & found.keys():
            for ref in refs[parent]:
                needs.setdefault(ref, []).extend(refs[name])
    of_npm = f"pkg:npm/uplot@{script.versions}"
    components.append(component(script, of_npm, []))
    own = f"pkg:pypi/vtox@{release}"
    needs[own] = [
        r for n, b in blocks.items() if "vtox (pyproject.toml)" in b for r in refs.get(n, ())
    ]
    needs[own].append(of_npm)
    every = [own, *(c["bom-ref"] for c in components)]
    whole = {"type": "application", "bom-ref": own, "name": "vtox", "version": release}
    licences = [{"expression": "MIT"}]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**whole, "purl": own, "licenses": licences}},
        "components": components,
        "dependencies": [{"ref": r, "dependsOn": sorted(set(needs.get(r, ())))} for r in every],
    }
    return json.dumps(document, indent=1) + "\n"


def component(row: Row, ref: str, hashes: list[str]) -> dict[str, object]:
    """Return one version of a package as CycloneDX has it.

    The hashes are those of all its files, one for each system and Python.
    """
    name, _, version = ref.rpartition("/")[2].partition("@")
    sums = [{"alg": "SHA-256", "content": h} for h in hashes]
    return {
        "type": "library",
        "bom-ref": ref,
        "name": name,
        "version": version,
        "purl": ref,
        "scope": "required" if row.needed_by == "vtox" else "optional",
        "licenses": [{"expression": row.licence}],
        "externalReferences": [{"type": "distribution", "url": ref, "hashes": sums}]
        if sums
        else [],
        "properties": [{"name": "vtox:needed_by", "value": row.needed_by}],
    }


if __name__ == "__main__":
    LIST.write_text(text(rows()))
