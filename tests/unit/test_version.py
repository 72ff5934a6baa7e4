"""The version names the commit."""

import json
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from tests.paths import ROOT
from vtox.version import RELEASE, commit_of, install_command, version


def git(folder: Path, *words: str) -> str:
    name = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    return subprocess.check_output(["git", "-C", folder, *name, *words], text=True).strip()


def test_two_commits_of_a_checkout_have_two_versions(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    seen = []
    for message in ("one", "two"):
        git(tmp_path, "commit", "--quiet", "--allow-empty", "-m", message)
        seen.append(commit_of(tmp_path))
        assert seen[-1] == git(tmp_path, "rev-parse", "--short=7", "HEAD")
    assert seen[0] != seen[1]


def test_a_folder_inside_another_checkout_has_no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "-m", "one")
    inner = tmp_path / "site-packages"
    inner.mkdir()
    assert commit_of(inner) == ""


def test_this_checkout_says_its_commit() -> None:
    commit = commit_of(ROOT)
    assert version().startswith(f"{RELEASE}+g{commit}" if commit else RELEASE)


@pytest.mark.parametrize(
    ("noted", "command"),
    [
        (
            {"url": "file:///a%20b/vtox-0.2.0-py3-none-any.whl", "archive_info": {}},
            'pip install "/a b/vtox-0.2.0-py3-none-any.whl[mqtt]"',
        ),
        ({"url": "file:///a%20b", "dir_info": {"editable": True}}, 'pip install -e "/a b[mqtt]"'),
        (None, 'pip install "vtox[mqtt]"'),
    ],
)
def test_an_extra_comes_from_where_vtox_came(
    noted: object, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vtox-0.2.0.dist-info").mkdir()
    if noted:
        (tmp_path / "vtox-0.2.0.dist-info/direct_url.json").write_text(json.dumps(noted))
    found = metadata.Distribution.at(tmp_path / "vtox-0.2.0.dist-info")
    monkeypatch.setattr(metadata, "distribution", lambda _: found)
    assert install_command("mqtt") == command
