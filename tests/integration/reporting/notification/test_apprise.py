"""Messages by apprise, through the real library to a real server."""

import json
from typing import Any

import pytest

from tests.integration.reporting.notification.receiver import Receiver
from tests.unit.reporting.notification.test_plan import EVENT
from vtox.reporting.notification import apprise_target
from vtox.reporting.notification.messages import alarm_message, encode
from vtox.reporting.notification.rules import Target

# Some of its plug-ins use deprecated parts of Python.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def send(receiver: Receiver, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Any:
    monkeypatch.setenv("CHAT_URL", f"json://hush:hush@127.0.0.1:{receiver.port}/chat")
    target = Target.model_validate({"kind": "apprise", "url_env": "CHAT_URL"} | more)
    body = encode(alarm_message(EVENT, "zh", "https://vtox.example"))
    return apprise_target.send("chat", target, "vtox_alert_1_0", body)


def test_a_chat_gets_title_and_text(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert send(receiver, monkeypatch).is_delivered
    (request,) = receiver.requests
    message = json.loads(request.body)
    assert message["title"] == "M1: 轴承, 报警, 预警"
    assert message["type"] == "warning"
    assert message["message"].endswith("https://vtox.example/machines/M1")
    out, err = capfd.readouterr()
    assert "hush" not in out + err


def test_a_chat_that_refuses_is_tried_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answer = lambda _: (500, {})
    assert send(receiver, monkeypatch).problem == "apprise_failed"
    receiver.answer = lambda _: (302, {"location": f"http://127.0.0.1:{receiver.port}/other"})
    assert send(receiver, monkeypatch).problem == "apprise_failed"
    assert {r.path.rstrip("/") for r in receiver.requests} == {"/chat"}
    monkeypatch.delenv("CHAT_URL")
    target = Target.model_validate({"kind": "apprise", "url_env": "CHAT_URL"})
    assert apprise_target.send("chat", target, "x", b"{}").problem == "apprise_unusable"
