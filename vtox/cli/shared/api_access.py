"""The HTTP API of this host, for the commands that show the fleet."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from vtox.motor.errors import InputError
from vtox.pipeline.cluster.ports import base_url
from vtox.pipeline.configuration.settings import Settings, load
from vtox.reporting.plant.errors import StatusApiError
from vtox.reporting.plant.status_api import StatusApi

REFUSED = ("unauthorized", "forbidden", "too_many_requests")


@contextmanager
def local_api() -> Iterator[StatusApi]:
    """Open the API with the key of VTOX_API_KEY, else that of the data folder.

    Raises `StatusApiError`: it does not answer, or refuses; a refused key is named by its place.
    """
    settings = load()
    key, place = _key(settings)
    url = base_url(settings.api_host, settings.api_port)
    with closing(StatusApi(url, key)) as api:
        try:
            yield api
        except StatusApiError as error:
            if error.code not in REFUSED:
                raise
            raise StatusApiError(
                f"the API of VTOX at {url}, asked with {place}: {error.observed}",
                code=error.code,
                remedy="`vtox keys create NAME --scopes read` makes a key for VTOX_API_KEY or the "
                f"file {settings.api_key_file}",
            ) from error


def _key(settings: Settings) -> tuple[str, str]:
    """Return the API key, and where it was found."""
    if settings.api_key:
        return settings.api_key, "VTOX_API_KEY"
    file = settings.api_key_file
    try:
        return file.read_text("ascii").strip(), str(file)
    except FileNotFoundError:
        return "", "no key"
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: {error}", remedy="expected an API key, in one line") from error
