"""The examples of README.md and docs/SENDING.md that send windows do what they say."""

import re
import shlex
import time

import pytest

from tests.paths import ROOT
from vtox import keys
from vtox.settings import Settings
from vtox.store.client import Client
from vtox.wire import decode


def blocks(page: str, language: str, word: str) -> list[str]:
    """Return the code blocks of a page that hold a word."""
    found = re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    return [block for block in found if word in block]


@pytest.fixture(autouse=True)
def address(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    monkeypatch.setattr(time, "sleep", lambda _: None)


def test_python_sends_whole_windows(client: Client) -> None:
    sending, answers = blocks("docs/SENDING.md", "python", "server.")
    exec(sending + answers, {})
    windows = [decode(fields) for _, fields in client.xrange(keys.RAW)]
    assert [w.seq for w in windows] == [0, 1, 2]
    assert windows[0].fs_hz == 10_000
    assert windows[0].samples == 10_000
    assert max(windows[0].channels["ia"]) == pytest.approx(14, abs=1e-3)


def test_the_readme_sends_whole_windows(client: Client) -> None:
    (sample,) = blocks("README.md", "python", "xadd")
    exec(sample, {})
    windows = [decode(fields) for _, fields in client.xrange(keys.RAW)]
    assert [w.seq for w in windows] == list(range(30))
    assert max(windows[0].channels["ia"]) == pytest.approx(11, abs=1e-3)
    assert list(windows[0].channels) == ["ia", "ib", "ic"]


def test_redis_cli_sends_a_window(client: Client) -> None:
    (example,) = blocks("docs/SENDING.md", "sh", "XADD")
    command = example.splitlines()[0].rstrip("\\") + example.splitlines()[1]
    words = shlex.split(command)
    client.execute_command(*words[words.index("XADD") :])
    ((_, fields),) = client.xrange(keys.RAW)
    assert list(decode(fields).channels) == ["ia", "ib", "ic"]
