"""Notices that a client was connected again: behind it may be another server than before.

A server that was restarted, or a replica in its place, may miss the last acknowledged commands.
redis-py connects an idle connection again without notice.
"""

from typing import Any
from weakref import WeakSet

import redis


class Connections:
    """Is called with each connection of a client once its socket is open.

    With `report_loss` a connection that was lost is an error, once, for its next user.
    """

    def __init__(self, *, report_loss: bool) -> None:
        self._report_loss = report_loss
        self._made: WeakSet[Any] = WeakSet()
        # The number of connections that were lost and connected again.
        self.lost = 0

    def __call__(self, connection: Any) -> None:
        """Introduce the client to the server.

        Raises `ConnectionError`: it is another connection in the place of one that was lost.
        """
        if self._report_loss and connection in self._made:
            self._made.discard(connection)
            raise redis.ConnectionError("the connection was lost; there may be another server now")
        self.lost += connection in self._made
        # A check before the client is known would connect again, and so on if it is refused.
        connection.on_connect_check_health(check_health=False)
        self._made.add(connection)

    def look(self, client: redis.Redis) -> None:
        """Use a connection, so that a lost one is found."""
        client.ping()

    def restart(self, client: redis.Redis) -> None:
        """Begin with new connections: the caller knows of the loss."""
        client.connection_pool.disconnect()
        self._made.clear()
