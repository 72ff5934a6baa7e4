"""The examples of README.md and docs/howto that send windows work as described."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from tests.integration.pipeline.sending.senders.test_results_reader import answer
from tests.paths import ROOT
from vtox.cli.main import application
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.windows.wire import decode


def blocks(page: str, language: str, word: str) -> list[str]:
    """Return the code blocks of a page that hold a word."""
    found = re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    return [block for block in found if word in block]


@pytest.fixture(autouse=True)
def addresses(server: EmbeddedServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the page: one user sends only, the other reads only."""
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    monkeypatch.setenv("INGEST_URL", server.address.role_url("ingest"))
    monkeypatch.setenv("READER_URL", server.address.role_url("reader"))
    monkeypatch.setattr(time, "sleep", lambda _: None)


@pytest.mark.parametrize(
    ("page", "word"), [("send-windows.md", "Publisher("), ("send-without-vtox.md", "server.xadd")]
)
def test_python_sends_whole_windows(
    client: Client, page: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = blocks(f"docs/howto/{page}", "python", word)
    exec(example, {})
    windows = [decode(fields) for _, fields in client.xrange(keys.RAW)]
    assert [w.seq for w in windows] == [0, 1, 2]
    assert windows[0].fs_hz == 10_000
    assert windows[0].samples == 10_000
    assert max(windows[0].channels["ia"]) == pytest.approx(14, abs=1e-3)


def test_the_readme_sends_whole_windows(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    (sample,) = blocks("README.md", "python", "Publisher")
    monkeypatch.setattr(time, "sleep", lambda _: None)  # a minute and a half in all
    exec(sample, {})
    windows = [decode(fields) for _, fields in client.xrange(keys.RAW)]
    assert [w.seq for w in windows] == list(range(90))
    assert max(windows[0].channels["ia"]) == pytest.approx(11, abs=1e-3)
    assert list(windows[0].channels) == ["ia", "ib", "ic"]


def test_the_addresses_of_the_page_are_shown_by_the_command(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = blocks("docs/howto/send-windows.md", "sh", "export")
    monkeypatch.delenv("VTOX_REDIS_URL")
    monkeypatch.setenv("VTOX_DATA_DIR", str(server.settings.data_dir))
    shown = CliRunner().invoke(application(), ["config", "show", "--json", "--reveal"])
    rows = json.loads(shown.stdout)
    for name, row in re.findall(r"export (\w+)=.*jq -r \.(\w+)\.value", example):
        assert rows[row]["value"] == os.environ[name]


@pytest.mark.parametrize(
    ("page", "word"), [("send-windows.md", "Reader("), ("send-without-vtox.md", "xrevrange")]
)
def test_python_reads_the_answers(
    client: Client,
    page: str,
    word: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    answer(client, "r1", "bearing", "normal", 7, "PUMP-1")
    (example,) = blocks(f"docs/howto/{page}", "python", word)
    exec(example.replace("quiet_s=5.0", "quiet_s=0.2"), {})
    shown = capsys.readouterr().out
    assert "7" in shown
    assert "bearing normal" in shown


def run(program: str, *command: str) -> str:
    """Run a program of the page; the test is skipped where there is none."""
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    return done.stdout


def test_redis_cli_sends_a_window_and_reads(client: Client) -> None:
    (example,) = blocks("docs/howto/send-with-redis-cli.md", "sh", "XADD")
    shown = run("redis-cli", "sh", "-ec", example)
    ((entry_id, fields),) = client.xrange(keys.RAW)
    assert entry_id.decode() in shown
    assert list(decode(fields).channels) == ["ia", "ib", "ic"]


def test_curl_sends_a_window_and_reads(http: httpx.Client, client: Client) -> None:
    examples = blocks("docs/howto/send-over-http.md", "sh", "curl")
    (example,) = (e for e in examples if "/windows" in e)
    shown = run(
        "curl", "sh", "-ec", example.replace("localhost:8000", http.base_url.netloc.decode())
    )
    ((entry_id, fields),) = client.xrange(keys.RAW)
    assert entry_id.decode() in shown
    assert list(decode(fields).channels) == ["ia", "ib", "ic"]


def test_node_sends_a_whole_window(http: httpx.Client, client: Client) -> None:
    (example,) = blocks("docs/howto/send-over-http.md", "js", "fetch")
    script = example.replace("localhost:8000", http.base_url.netloc.decode())
    assert run("node", "node", "--input-type=module", "-e", script).startswith("202")
    ((_, fields),) = client.xrange(keys.RAW)
    window = decode(fields)
    assert window.samples == 10_000
    assert max(window.channels["ia"]) == pytest.approx(14, abs=1e-3)
