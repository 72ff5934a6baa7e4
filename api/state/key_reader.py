"""Whether API keys exist, and when each was used last; the server is asked and written rarely."""

import time
from collections.abc import Callable
from contextlib import suppress

import redis

from api.state.server import AWAY
from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys

# A command each time would cost a sender a twentieth of its rate.
KEY_CHECK_EVERY_S = 0.1
USE_NOTED_EVERY_S = 60.0


class KeyReader:
    """Safe between the threads that serve requests."""

    def __init__(self, client: Callable[[], Client]) -> None:
        self._client = client
        self._exist = False
        self._asked_t = -KEY_CHECK_EVERY_S
        self._uses: dict[str, float] = {}

    def exist(self) -> bool:
        """Return whether an API key exists, or did `KEY_CHECK_EVERY_S` ago.

        If the server does not answer, this is the last answer. One that has never answered this
        process gives away nothing: the pages may open, and show that it does not answer.
        """
        now = time.monotonic()
        if now - self._asked_t > KEY_CHECK_EVERY_S:
            with suppress(*AWAY):
                self._exist, self._asked_t = apikeys.any_exist(self._client()), now
        return self._exist

    def last_answer(self) -> bool:
        """Return the last answer, without the server."""
        return self._exist

    def note_use(self, key_id: str) -> None:
        """Keep the time of a key's use, at most once in `USE_NOTED_EVERY_S`."""
        now = time.monotonic()
        if now - self._uses.get(key_id, -USE_NOTED_EVERY_S) < USE_NOTED_EVERY_S:
            return
        self._uses[key_id] = now
        # A server that takes no writes is no reason to refuse a reader.
        with suppress(redis.RedisError, ServerUnavailable):
            apikeys.note_use(self._client(), key_id)
