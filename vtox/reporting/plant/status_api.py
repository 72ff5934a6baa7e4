"""A reader of the HTTP status API: the only way by which these processes learn about machines.

It sends GET alone, so that whatever they are asked to do changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx2

from vtox.pipeline.configuration.version import version
from vtox.pipeline.errors import SettingsError
from vtox.reporting.plant.errors import StatusApiError

# The first request for the energy of a large fleet takes seconds.
TIMEOUT_S = 30.0
# A report diagnoses and draws up to eight records: seconds each if workers use the cores.
FILE_TIMEOUT_S = 120.0


class StatusApi:
    """The API at `url`, read with `key` (`vtox keys create NAME --scopes read`); empty: none.

    `caller` is the address of the client that gave the key: the API slows down clients that try
    wrong keys.
    """

    def __init__(
        self, url: str, key: str = "", *, caller: str = "", timeout_s: float = TIMEOUT_S
    ) -> None:
        headers = {"user-agent": f"vtox/{version()}"} | ({"x-api-key": key} if key else {})
        headers |= {"x-forwarded-for": caller} if caller else {}
        # No proxy of the environment: it would see the key.
        self._http = httpx2.Client(base_url=url, headers=headers, trust_env=False)
        self._timeout_s = timeout_s
        self.url = url.rstrip("/")
        self._date = ""

    def get(self, path: str, *names: str, **query: Any) -> Any:
        """Return the answer to GET `/api/v1/PATH`, where each `{}` is one of `names`.

        Raises `StatusApiError`: the API does not answer, or refuses; `code` is that of its problem.
        """
        answer = self._answer(path, names, query, self._timeout_s)
        try:
            return answer.json()
        except ValueError as error:
            raise self._away(error) from error

    def text(self, path: str, *names: str, **query: Any) -> str:
        """Return the answer as the text of a file.

        Raises `StatusApiError`: as `get`.
        """
        return self._answer(path, names, query, FILE_TIMEOUT_S).text

    def _answer(
        self, path: str, names: Iterable[str], query: Mapping[str, Any], timeout_s: float
    ) -> httpx2.Response:
        where = "/api/v1/" + path.format(*(quote(n, safe="") for n in names))
        given = {k: v for k, v in query.items() if v is not None}
        try:
            answer = self._http.get(where, params=given, timeout=timeout_s)
            said = {} if answer.is_success else answer.json()
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise self._away(error) from error
        self._date = answer.headers.get("date", self._date)
        if answer.status_code == 200:
            return answer
        said = said if isinstance(said, dict) else {}
        raise StatusApiError(
            str(said.get("detail") or f"{where}: HTTP {answer.status_code}"),
            code=str(said.get("code", "")),
        )

    def _away(self, error: Exception) -> StatusApiError:
        return StatusApiError(
            f"the API of VTOX at {self.url} does not answer ({type(error).__name__})",
            code="unreachable",
            remedy="check the address, and that `vtox up` runs there",
        )

    def pages(self, path: str, *names: str, **query: Any) -> Iterator[Any]:
        """Yield the answers to a request that comes in pages.

        Raises `StatusApiError`: as `get`.
        """
        answer = self.get(path, *names, **query)
        yield answer
        while link := answer.get("next"):
            cursor = dict(httpx2.URL(link).params)["cursor"]
            answer = self.get(path, *names, **query | {"cursor": cursor})
            yield answer

    def days_ago(self, days: float) -> float:
        """Return a time (s since 1970) before the API's last answer, by its host's clock.

        Raises `StatusApiError`: as `get`.
        """
        self.get("access")
        return parsedate_to_datetime(self._date).timestamp() - 86_400 * days

    def require_reader(self) -> None:
        """Check that the API answers, and that the key is one that only reads.

        Raises `StatusApiError`: as `get`. `SettingsError`: the key may change something.
        """
        access = self.get("access")["data"]
        if access["name"] and (access["may_operate"] or access["may_engineer"]):
            raise SettingsError(
                f"the API key {access['name']!r} may change alarms or machines",
                remedy="give one that only reads: `vtox keys create NAME --scopes read`",
            )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
