"""The secrets of targets, from the environment or from files, read at each use."""

from pathlib import Path
from typing import TypeVar

from vtox.pipeline.configuration.settings import environment_value
from vtox.pipeline.errors import RulesError
from vtox.reporting.notification.rules import Target, check_webhook_url
from vtox.reporting.notification.signature import signing_key

T = TypeVar("T")
SECRET_FILE_MAX_BYTES = 10_000


def target_url(name: str, target: Target) -> str:
    """Return the URL of a target, which may hold secrets.

    Raises `RulesError`: it is not there, or not one that a webhook may have.
    """
    if target.url_env is not None:
        url = _from_environment(name, target.url_env)
    elif target.url_file is not None:
        url = _from_file(name, target.url_file)
    else:
        url = target.url or ""
    if target.kind == "webhook":
        try:
            return check_webhook_url(url, target)
        except ValueError as error:
            raise RulesError(f"targets.{name}: {error}") from None
    return url


def signing_keys(name: str, target: Target) -> list[bytes]:
    """Return the keys that sign messages to a webhook, the present one first.

    Raises `RulesError`: one is not there, or not of the form of Standard Webhooks.
    """
    variables, files = target.secret_env or (), target.secret_file or ()
    texts = {v: _from_environment(name, v) for v in _several(variables)}
    texts |= {str(f): _from_file(name, f) for f in _several(files)}
    keys = []
    for place, text in texts.items():
        try:
            keys.append(signing_key(text))
        except ValueError as error:
            raise RulesError(f"targets.{name}: the secret in {place} is none: {error}") from None
    return keys


def _several(one_or_more: T | tuple[T, ...]) -> tuple[T, ...]:
    return one_or_more if isinstance(one_or_more, tuple) else (one_or_more,)


def _from_environment(name: str, variable: str) -> str:
    text = environment_value(variable)
    if not text:
        raise RulesError(
            f"targets.{name}: the environment has no {variable}",
            remedy="set it for the process that notifies (`vtox up` or `vtox notify run`)",
        )
    return text.strip()


def _from_file(name: str, path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")[:SECRET_FILE_MAX_BYTES].strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "no UTF-8"
        raise RulesError(f"targets.{name}: {path} cannot be read ({why})") from None
    if not text:
        raise RulesError(f"targets.{name}: {path} is empty")
    return text
