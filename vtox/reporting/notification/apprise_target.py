"""Sends one message by apprise, to a chat or by e-mail (extra `notify`)."""

import logging
from typing import Any

import apprise
import orjson

from vtox.pipeline.errors import RulesError
from vtox.reporting.notification.attempt import Attempt
from vtox.reporting.notification.rules import Target
from vtox.reporting.notification.target_secrets import target_url

# How loud a chat shows it.
_LOUDNESS = {"warning": "warning", "fault": "failure"}


def send(name: str, target: Target, _: str, body: bytes) -> Attempt:
    """Send a message once; return errors of a target or a network, never raise them."""
    try:
        notifier = _opened(name, target)
    except RulesError:
        return Attempt(problem="apprise_unusable")
    data = orjson.loads(body)["data"]
    level = data.get("alarm", {}).get("level", "") if data.get("event") != "cleared" else ""
    text = "\n".join(t for t in (data["text"], data["url"]) if t)
    try:
        taken = notifier.notify(
            title=data["title"],
            body=text or data["title"],
            notify_type=_LOUDNESS.get(level, "info"),
        )
    except Exception as error:  # any of a hundred plug-ins
        return Attempt(problem=f"apprise_failed {type(error).__name__}")
    return Attempt() if taken else Attempt(problem="apprise_failed")


def check_url(name: str, url: str) -> None:
    """Check that a URL is one of apprise's services.

    Raises `RulesError`: it is none.
    """
    if not apprise.Apprise(asset=_asset()).add(url):
        raise RulesError(
            f"targets.{name}: its URL is none that apprise {apprise.__version__} knows"
        )


def _opened(name: str, target: Target) -> Any:
    """Return apprise with the URL of a target.

    Raises `RulesError`: the URL is not there, or not one of its services.
    """
    url = target_url(name, target)
    check_url(name, url)
    notifier = apprise.Apprise(asset=_asset())
    notifier.add(url)
    for server in notifier:
        server.redirects = False
        server.socket_connect_timeout = server.socket_read_timeout = target.timeout_s
    return notifier


def _asset() -> Any:
    # Its log may have pieces of the URL, and so of a password.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    return apprise.AppriseAsset(
        app_id="VTOX", app_url="", storage_mode="memory", secure_logging=True, plugin_paths=[]
    )
