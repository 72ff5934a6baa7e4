"""Tries a target without the outbox: its address, and its answer to a test."""

import secrets
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from vtox.pipeline.errors import RulesError
from vtox.reporting.notification.addresses import is_allowed, resolve
from vtox.reporting.notification.attempt import Attempt
from vtox.reporting.notification.messages import encode, trial_message
from vtox.reporting.notification.rules import Target
from vtox.reporting.notification.target_secrets import target_url

Send = Callable[[str, Target, str, bytes], Attempt]


def send_trial(name: str, target: Target, senders: Mapping[str, Send]) -> Attempt:
    """Send a test to a target now."""
    now_ms = round(1000 * time.time())
    body = encode(trial_message(now_ms, target.language))
    return senders[target.kind](name, target, f"vtox_test_{secrets.token_hex(8)}", body)


def problem_of_target(name: str, target: Target) -> str:
    """Return why nothing can be sent to a target, if that shows without sending."""
    try:
        url = target_url(name, target)
    except RulesError as error:
        return str(error)
    if target.kind != "webhook":
        return ""
    if target.ca_file is not None and not target.ca_file.is_file():
        return f"ca_file: there is no {target.ca_file}"
    parts = urlsplit(url)
    try:
        addresses = resolve(parts.hostname or "", parts.port or 443)
    except (OSError, UnicodeError):
        return f"{parts.hostname} has no address"
    if any(is_allowed(a, target.networks) for a in addresses):
        return ""
    found = ", ".join(map(str, addresses))
    return f"{parts.hostname} is {found}, which is not public: name its network in `networks`"
