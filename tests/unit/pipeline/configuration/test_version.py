"""The version names the commit."""

import importlib.util
import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from shlex import quote, split

import pytest

from tests.paths import ROOT
from vtox.pipeline.configuration.version import (
    RELEASE,
    commit_of,
    install_command,
    version,
    with_vtox_command,
)


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
            '-m pip install "/a b/vtox-0.2.0-py3-none-any.whl[mqtt]"',
        ),
        (
            {"url": "file:///a%20b", "dir_info": {"editable": True}},
            '-m pip install -e "/a b[mqtt]"',
        ),
        (None, '-m pip install "vtox[mqtt]"'),
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
    assert install_command("mqtt") == f"{quote(sys.executable)} {command}"


def test_the_command_of_a_checkout_makes_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vtox-0.2.0.dist-info").mkdir()
    noted = {"url": tmp_path.as_uri(), "dir_info": {"editable": True}}
    (tmp_path / "vtox-0.2.0.dist-info/direct_url.json").write_text(json.dumps(noted))
    found = metadata.Distribution.at(tmp_path / "vtox-0.2.0.dist-info")
    monkeypatch.setattr(metadata, "distribution", lambda _: found)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    assert install_command("mqtt") == f"make -C {quote(str(tmp_path))} setup EXTRAS=mqtt"


@pytest.mark.parametrize("path", ["/usr/bin:/bin", str(Path(sys.executable).parent)])
def test_the_command_of_this_installation_runs(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", path)
    said = with_vtox_command("is it running? `vtox doctor` checks")
    (words,) = re.findall("`(.*) doctor`", said)
    assert (words == "vtox") == (path != "/usr/bin:/bin")
    done = subprocess.run([*split(words), "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("vtox ")


def test_no_page_and_no_error_names_a_command_that_is_not_there() -> None:
    """Debian refuses the pip of the system, and the PATH leads to no `vtox` of a checkout."""
    pages = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    code = [p for d in ("vtox", "api", "workers", "deploy") for p in (ROOT / d).rglob("*.*")]
    texts = {p: p.read_text() for p in (*pages, *code) if p.suffix in (".md", ".py", ".toml")}
    bare_pip = re.compile(r"(?<![\w/])(?<!-m )pip3? install")
    assert [str(p) for p, text in texts.items() if bare_pip.search(text)] == []
    # In a container and in a pod it is on the PATH.
    inside = ("deploy-in-containers.md", "deploy-on-kubernetes.md")
    shells = {p: re.findall(r"^```sh\n(.*?)^```", texts[p], re.M | re.S) for p in pages}
    bare_vtox = re.compile(r"^\s*(?:[A-Z_]+=\S+ )*vtox ", re.M)
    found = [str(p) for p, blocks in shells.items() if bare_vtox.search("\n".join(blocks))]
    assert [p for p in found if not p.endswith(inside)] == []


def test_an_error_of_the_command_line_names_its_own_command(tmp_path: Path) -> None:
    url = {"VTOX_REDIS_URL": "redis://127.0.0.1:1/0", "VTOX_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "vtox", "status"]
    env = {"PATH": "/usr/bin:/bin", "COLUMNS": "400"} | url
    done = subprocess.run(
        command, capture_output=True, text=True, env=env, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    ours = quote(str(Path(sys.executable).with_name("vtox")))
    assert f"`{ours} doctor`" in " ".join(done.stderr.split())


def test_extras_come_from_the_lock_file_with_what_they_need() -> None:
    spec = importlib.util.spec_from_file_location("install", ROOT / ".ci/install.py")
    assert spec is not None
    assert spec.loader is not None
    install = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(install)
    blocks = install.blocks_of((ROOT / "extras.lock").read_text())
    needed = install.needed({"asyncua", "paho-mqtt"}, blocks)
    assert {"asyncua", "paho-mqtt", "aiosqlite", "cryptography", "cffi"} <= set(needed)
    assert not {"apprise", "pytest", "mcp"} & set(needed)
    assert all("--hash=sha256:" in blocks[name] for name in needed)
