"""Warns of installed versions that a security advisory names, by files alone, without a network."""

import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Literal

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from vtox.pipeline.configuration.version import RELEASE
from vtox.pipeline.monitoring.readiness import Check

SHIPPED = Path(__file__).with_name("advisories")


class Advisory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One advisory; `affected` are the versions of `package` as pip writes them."""

    id: str
    package: str
    affected: str
    severity: Literal["low", "medium", "high", "critical"]
    effect: str
    remedy: str

    def concerns(self, version: str) -> bool:
        """Return whether a version is affected; builds between releases count too."""
        return SpecifierSet(self.affected).contains(version, prereleases=True)


def advisory_checks(data_dir: Path) -> Iterator[Check]:
    """Yield a warning for each advisory of an installed version, and for each unreadable file."""
    found = 0
    files = sorted([*SHIPPED.glob("*.toml"), *(data_dir / "advisories").glob("*.toml")])
    for file in files:
        try:
            advisory = msgspec.convert(tomllib.loads(file.read_text("utf-8")), Advisory)
            version = _installed(advisory.package)
            affected = version is not None and advisory.concerns(version)
        except (OSError, ValueError, msgspec.ValidationError, InvalidSpecifier) as error:
            remedy = "copy the file again from the release that published it"
            yield _warning(f"{file} cannot be read: {error}", remedy)
            continue
        if affected:
            found += 1
            a = advisory
            yield _warning(
                f"{a.id} ({a.severity}): {a.package} {version} is vulnerable. {a.effect}", a.remedy
            )
    if not found:
        observed = f"{len(files)} known, none of an installed version"
        yield Check(name="advisories", status="pass", observed=observed)


def _installed(package: str) -> str | None:
    """Return the installed version of a package; of VTOX its release, without the commit."""
    if package == "vtox":
        return RELEASE
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _warning(observed: str, remedy: str) -> Check:
    return Check(name="advisories", status="warn", observed=observed, remedy=remedy)
