"""The URL of Celery's broker."""

import sys
from pathlib import Path

from vtox import settings
from vtox.errors import VtoxError


def url() -> str:
    """Return the URL of the broker, from the settings and the running server of this moment.

    Raises
    ------
    ServerUnavailable, SettingsError
        As `Settings.working_url` and `settings.load`. On Celery's own command line the process
        ends with the message in one line instead of a traceback.
    """
    try:
        return settings.load().working_url()
    except VtoxError as error:
        if "celery" in Path(sys.argv[0]).parts[-2:]:
            raise SystemExit(f"vtox: {error}") from None
        raise
