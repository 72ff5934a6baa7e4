"""Where Celery's broker is."""

import sys
from pathlib import Path

from vtox import settings
from vtox.errors import VtoxError


def url() -> str:
    """Return the broker's URL, as the settings and the running server have it now.

    Raises
    ------
    ServerUnavailable, SettingsError
        As `Settings.working_url` and `settings.load`. On Celery's own command line, which would
        bury the message under a traceback, the process ends with the message in one line.
    """
    try:
        return settings.load().working_url()
    except VtoxError as error:
        if "celery" in Path(sys.argv[0]).parts[-2:]:
            raise SystemExit(f"vtox: {error}") from None
        raise
