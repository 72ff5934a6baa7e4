"""The list of licences and the SBOM have the packages that VTOX needs to run, and no others."""

import importlib.util
import json
import re
import sys
import tomllib
from types import ModuleType
from typing import Any

import pytest

from tests.paths import ROOT


def script(name: str) -> ModuleType:
    """A script of `.ci`, which no package holds."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f".ci/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def licences() -> ModuleType:
    sys.path.insert(0, str(ROOT / ".ci"))
    try:
        return script("licences")
    finally:
        sys.path.remove(str(ROOT / ".ci"))


@pytest.fixture
def bom(licences: ModuleType, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(ROOT)
    return json.loads(licences.sbom("0.2.0"))


def test_the_list_is_that_of_make_licences(
    licences: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert licences.text(licences.rows()) == licences.LIST.read_text()


def test_the_packages_of_users_alone_are_listed(licences: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = {"": project["dependencies"], **project["optional-dependencies"]}
    of_users = extras.keys() - licences.OF_DEVELOPERS
    users = re.search(r"^USERS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert users
    assert of_users == {"", *users[1].split()}
    listed = {row.package for row in licences.listed()}
    assert not listed & {"pytest", "hypothesis", "mypy", "ruff", "hatchling", "openpyxl", "honcho"}
    wanted = {re.split(r"[^\w.-]", text)[0].lower() for e in of_users for text in extras[e]}
    assert wanted | {"canmatrix", "lxml"} <= listed


def test_each_package_of_the_sbom_has_licence_version_and_files(bom: dict[str, Any]) -> None:
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    assert bom["metadata"]["component"]["version"] == "0.2.0"
    for part in bom["components"]:
        (licence,) = part["licenses"]
        assert re.fullmatch(r"[\w.() -]+", licence["expression"])
        assert part["purl"].endswith(f"{part['name']}@{part['version']}")
        assert part["name"] == "uplot" or part["externalReferences"][0]["hashes"]


def test_the_sbom_says_which_package_needs_which(bom: dict[str, Any]) -> None:
    refs = [part["bom-ref"] for part in bom["components"]]
    assert len(set(refs)) == len(refs)
    needs = {d["ref"]: d["dependsOn"] for d in bom["dependencies"]}
    assert needs.keys() == {"pkg:pypi/vtox@0.2.0", *refs}
    assert {ref for found in needs.values() for ref in found} == set(refs)
    (celery,) = (ref for ref in refs if ref.startswith("pkg:pypi/celery@"))
    assert celery in needs["pkg:pypi/vtox@0.2.0"]
    assert any(ref.startswith("pkg:pypi/billiard@") for ref in needs[celery])


def test_make_newest_finds_the_packages_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names = re.search(r"^NEWEST := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert names
    found = script("newest").requirements(names[1].split())
    assert [re.match(r"\w+", text)[0] for text in found] == names[1].split()  # type: ignore[index]
