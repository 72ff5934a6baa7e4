"""The URL of Celery's broker, and its TLS options."""

import ssl
import sys
from pathlib import Path
from typing import Any

from vtox import server_urls, settings
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
        return server_urls.kombu_url(settings.load().working_url())
    except VtoxError as error:
        if "celery" in Path(sys.argv[0]).parts[-2:]:
            raise SystemExit(f"vtox: {error}") from None
        raise


def tls() -> dict[str, Any] | None:
    """Return the TLS options of a `rediss://` broker, None for another.

    Without them kombu verifies no certificate, and Flower, which reads them here, does not start.
    """
    options = server_urls.tls_options(url())
    verified = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    return options | verified if options else None
