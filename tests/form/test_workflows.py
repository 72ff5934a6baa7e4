"""The workflows for a public forge: few rights, time limits, commands and versions that exist."""

import re
import tomllib
from itertools import pairwise
from typing import Any

import pytest

from tests.paths import ROOT

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
FORGE = ROOT / ".github"
# YAML 1.1 reads the key `on` as true.
WORKFLOWS: dict[str, dict[Any, Any]] = {
    path.name: yaml.safe_load(path.read_text()) for path in sorted(FORGE.glob("workflows/*.yml"))
}
MAY_WRITE = {
    ("release.yml", "publish"): {"id-token", "attestations"},
    ("release.yml", "image"): {"packages"},
    ("image.yml", "image"): {"packages"},
}


def jobs() -> list[tuple[str, str, dict[str, Any]]]:
    """Return file, name and content of every job."""
    return [(file, name, job) for file, w in WORKFLOWS.items() for name, job in w["jobs"].items()]


def steps() -> list[dict[str, Any]]:
    """Return the steps of all jobs."""
    return [step for _, _, job in jobs() for step in job.get("steps", [])]


def test_workflows_test_release_and_build_images() -> None:
    assert set(WORKFLOWS) == {"test.yml", "release.yml", "image.yml"}
    assert WORKFLOWS["release.yml"][True] == {"push": {"tags": ["v*"]}}
    updates = yaml.safe_load((FORGE / "dependabot.yml").read_text())["updates"]
    assert [update["package-ecosystem"] for update in updates] == ["github-actions"]


@pytest.mark.parametrize("file", WORKFLOWS)
def test_a_workflow_may_only_read(file: str) -> None:
    assert WORKFLOWS[file]["permissions"] == {"contents": "read"}


def test_only_the_jobs_that_publish_may_write() -> None:
    rights = {(file, name): job.get("permissions", {}) for file, name, job in jobs()}
    writes = {
        key: {r for r, how in given.items() if how != "read"} for key, given in rights.items()
    }
    assert {key: found for key, found in writes.items() if found} == MAY_WRITE


def test_only_tested_commits_are_published() -> None:
    release = WORKFLOWS["release.yml"]["jobs"]
    assert all("test" in release[name]["needs"] for name in ("publish", "image"))
    assert release["publish"]["environment"]["name"] == "pypi"


def test_each_job_has_a_time_limit_or_is_a_workflow() -> None:
    for file, name, job in jobs():
        if called := job.get("uses"):
            assert (ROOT / called).is_file(), (file, name)
            assert "workflow_call" in WORKFLOWS[called.rsplit("/", 1)[1]][True]
        else:
            assert 0 < job["timeout-minutes"] <= 240, (file, name)


def test_steps_call_commands_that_exist() -> None:
    scripts = "\n".join(step.get("run", "") for step in steps())
    targets = set(re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([\w-]+)", scripts)) == {"unit", "release"} <= targets
    assert set(re.findall(r"(?<!\S)\.ci/\S+", scripts)) == {".ci/run"}
    assert (ROOT / ".ci/run").stat().st_mode & 0o100
    inputs = [step["with"] for step in steps() if "with" in step]
    assert [ROOT / i["file"] for i in inputs if "file" in i] == [ROOT / "deploy/Dockerfile"]


def test_no_checkout_keeps_credentials() -> None:
    checkouts = [s for s in steps() if s.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_actions_are_named_by_major_version() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert [u for u in used if not re.fullmatch(r"[\w-]+/[\w-]+@(release/)?v\d+", u)] == []


def test_the_forge_names_no_private_host() -> None:
    text = "\n".join(path.read_text() for path in FORGE.rglob("*.yml"))
    named = re.findall(r"(?:https?://|@)([\w-]+(?:\.[\w-]+)+)", text)
    named += re.findall(r"\b[\w-]+(?:\.[\w-]+)*\.(?:io|org|com|net|dev|local|lan|internal)\b", text)
    assert set(named) == {"ghcr.io"}
    assert not re.search(r"\b\d+(\.\d+){3}\b|localhost|/home/", text)


def test_unit_tests_run_on_each_python_supported() -> None:
    versions = WORKFLOWS["test.yml"]["jobs"]["unit"]["strategy"]["matrix"]["python"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={versions[0]}"
    minors = [int(version.removeprefix("3.")) for version in versions]
    assert all(later == earlier + 1 for earlier, later in pairwise(minors))
    offered = set(re.findall(r"python(3\.\d+)", (ROOT / "Makefile").read_text()))
    assert offered == set(versions)
