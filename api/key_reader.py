"""API keys and sessions, which are on the first server: also while that does not answer.

Of several servers the others go on answering. Whom the first one confirmed to this process shortly
before it went away is let in then.
"""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import redis

from api.server import AWAY
from api.servers import AllServers
from vtox.errors import ServerUnavailable
from vtox.store import apikeys, sessions
from vtox.store.apikeys import ApiKey
from vtox.store.client import Client

# A command each time would cost a sender a twentieth of its rate.
KEYS_ASKED_EVERY_S = 0.1
USE_NOTED_EVERY_S = 60.0
REMEMBERED = 1000
# Before the first server went away. A sender or an open page asks many times in it; a key that was
# revoked earlier is not let in.
CONFIRMED_WITHIN_S = 600.0


@dataclass(frozen=True, slots=True)
class _Confirmed:
    """What the first server confirmed at `t` (monotonic, s); a session ends at `end_t` (server)."""

    key: ApiKey
    t: float
    end_t: float


class KeyReader:
    """Safe between the threads that serve requests."""

    def __init__(self, servers: AllServers) -> None:
        self._servers = servers
        self._exist = False
        self._exist_known = False
        self._asked_t = -KEYS_ASKED_EVERY_S
        self._uses: dict[str, float] = {}
        self._known: dict[str, _Confirmed] = {}

    def client(self) -> Client:
        """Return the client of the server that has the keys.

        Raises
        ------
        ServerUnavailable
            It is one of several, and did not answer when it was asked last.
        """
        return self._servers.responding(0).client()

    def exist(self) -> bool:
        """Return whether an API key exists, or did `KEYS_ASKED_EVERY_S` ago.

        Of a server that does not answer, the last answer. One that has never answered this process
        gives away nothing: the pages may open, and show that it does not answer.

        Raises
        ------
        ServerUnavailable
            It has never answered, and others might.
        """
        now = time.monotonic()
        if now - self._asked_t > KEYS_ASKED_EVERY_S:
            try:
                self._exist, self._asked_t = apikeys.any_exist(self.client()), now
                self._exist_known = True
            except AWAY as error:
                self._mark_away(error)
                if self._servers.several and not self._exist_known:
                    what = f"the first server has the API keys, and does not answer: {error}"
                    raise ServerUnavailable(what) from error
        return self._exist

    def key_of_text(self, text: str) -> ApiKey | None:
        """Return the key that a client sent, None where it is none, or has expired."""
        return self._look_up(text, lambda: apikeys.verify(self.client(), text))

    def key_of_session(self, token: str) -> ApiKey | None:
        """Return the key of a session, None where session or key has ended."""
        return self._look_up(
            token,
            lambda: sessions.key_of(self.client(), token),
            lambda: sessions.end_t(self.client(), token),
        )

    def end_session(self, token: str) -> None:
        """End a session; this process does not let it in again, even where the server is away.

        Raises
        ------
        ServerUnavailable, redis.RedisError
            The server does not answer, and still has the session.
        """
        try:
            sessions.end(self.client(), token)
        finally:
            self._known.pop(token, None)

    def note_use(self, key_id: str) -> None:
        """Keep the time of a key's use, at most once in `USE_NOTED_EVERY_S`."""
        now = time.monotonic()
        if now - self._uses.get(key_id, -USE_NOTED_EVERY_S) < USE_NOTED_EVERY_S:
            return
        self._uses[key_id] = now
        # A server that takes no writes is no reason to refuse a reader.
        with suppress(redis.RedisError, ServerUnavailable):
            apikeys.note_use(self.client(), key_id)

    def _look_up(
        self,
        secret: str,
        ask: Callable[[], ApiKey | None],
        ask_end_t: Callable[[], float] = lambda: math.inf,
    ) -> ApiKey | None:
        now = time.monotonic()
        try:
            key = ask()
            if self._servers.several:
                self._remember(secret, key, now, ask_end_t)
            return key
        except AWAY as error:
            self._mark_away(error)
            confirmed = self._known.get(secret)
            if confirmed is None or not self._holds(confirmed):
                raise
            return confirmed.key

    def _remember(
        self, secret: str, key: ApiKey | None, now: float, ask_end_t: Callable[[], float]
    ) -> None:
        if key is None:
            self._known.pop(secret, None)
            return
        before = self._known.get(secret)
        if before is None and len(self._known) >= REMEMBERED:
            self._known.pop(next(iter(self._known)), None)
        # The end of a session never moves.
        self._known[secret] = _Confirmed(key, now, before.end_t if before else ask_end_t())

    def _holds(self, confirmed: _Confirmed) -> bool:
        """Return whether to let in what was confirmed, while the first server is away."""
        if self._servers.all[0].answered_t - confirmed.t > CONFIRMED_WITHIN_S:
            return False
        now_s = self._servers.now_s()
        return now_s < confirmed.end_t and not confirmed.key.expired(now_s)

    def _mark_away(self, error: Exception) -> None:
        if self._servers.several:
            self._servers.all[0].mark_away(error)
