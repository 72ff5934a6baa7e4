"""Advisories that `vtox doctor` reads from files; those here are made up."""

from importlib import metadata
from pathlib import Path

import pytest

from vtox.pipeline.configuration.version import RELEASE
from vtox.pipeline.monitoring.known_advisories import SHIPPED, advisory_checks

ADVISORY = """
id = "VTOX-2027-01"
package = "{package}"
affected = "{affected}"
severity = "high"
effect = "A made-up effect."
remedy = "Install the next version."
"""


def add(data_dir: Path, text: str) -> None:
    (data_dir / "advisories").mkdir()
    (data_dir / "advisories/VTOX-2027-01.toml").write_text(text)


@pytest.mark.parametrize(
    ("package", "affected", "status"),
    [
        ("vtox", f"<={RELEASE}", "warn"),
        ("vtox", f"<{RELEASE}", "pass"),
        ("celery", f"=={metadata.version('celery')}", "warn"),
        ("celery", f">{metadata.version('celery')}", "pass"),
        ("not-installed-anywhere", ">=0", "pass"),
    ],
)
def test_an_affected_version_is_a_warning(
    tmp_path: Path, package: str, affected: str, status: str
) -> None:
    add(tmp_path, ADVISORY.format(package=package, affected=affected))
    (found,) = advisory_checks(tmp_path)
    assert found.status == status
    assert ("VTOX-2027-01" in found.observed) == (status == "warn")
    assert bool(found.remedy) == (status == "warn")


@pytest.mark.parametrize(
    "text",
    ["id =", "id = 'VTOX-1'", ADVISORY.format(package="vtox", affected="before 3")],
)
def test_a_damaged_advisory_is_named(tmp_path: Path, text: str) -> None:
    add(tmp_path, text)
    found = [c for c in advisory_checks(tmp_path) if c.status == "warn"]
    assert ["VTOX-2027-01.toml cannot be read" in c.observed for c in found] == [True]


def test_shipped_advisories_are_readable(tmp_path: Path) -> None:
    assert SHIPPED.is_dir()
    assert not [c for c in advisory_checks(tmp_path) if "cannot be read" in c.observed]
