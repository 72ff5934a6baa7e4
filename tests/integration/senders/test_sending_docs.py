"""The examples of docs/SENDING.md do what they say."""

import re
import shlex

import pytest

from tests.paths import ROOT
from vtox import keys
from vtox.settings import Settings
from vtox.store.client import Client
from vtox.wire import decode

PAGE = (ROOT / "docs" / "SENDING.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_python_sends_whole_windows(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    sending, answers = blocks("python")
    exec(sending + answers, {})
    windows = [decode(fields) for _, fields in client.xrange(keys.RAW)]
    assert [w.seq for w in windows] == [0, 1, 2]
    assert windows[0].fs_hz == 10_000
    assert windows[0].samples == 10_000
    assert max(windows[0].channels["ia"]) == pytest.approx(14, abs=1e-3)


def test_redis_cli_sends_a_window(client: Client) -> None:
    (example,) = (b for b in blocks("sh") if "XADD" in b)
    command = example.splitlines()[0].rstrip("\\") + example.splitlines()[1]
    words = shlex.split(command)
    client.execute_command(*words[words.index("XADD") :])
    ((_, fields),) = client.xrange(keys.RAW)
    assert list(decode(fields).channels) == ["ia", "ib", "ic"]
