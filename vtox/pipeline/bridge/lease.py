"""The right to serve a partition, which one bridge has at a time, and the sign that it goes on."""

import time
import uuid
from collections.abc import Callable

import redis
import structlog

from vtox.pipeline.store.ledger.ledger import Ledger

log = structlog.get_logger()

# The bridge that replaces a killed one takes the lease within this time
# (docs/explanation/recovery.md).
LEASE_LIFE_MS = 5000
# No single step takes this long, time-outs of server and broker included: a bridge with an older
# last step hangs.
MAX_ITERATION_S = 60.0


class Lease:
    """The lease of one partition; each ownership has its own token."""

    def __init__(self, ledger: Ledger, clock: Callable[[], float] = time.monotonic) -> None:
        self.ledger = ledger
        self.clock = clock
        self.token = ""
        self.last_step_t = self.renewed_t = clock()

    def take(self) -> bool:
        """Own the partition; False while another bridge does."""
        token = uuid.uuid4().hex
        if not self.ledger.take_lease(token, self.token, LEASE_LIFE_MS):
            return False
        self.token, self.renewed_t = token, self.clock()
        return True

    def keep(self) -> None:
        """Renew the lease in time, in the middle of an iteration too: a slow disk draws it out.

        Raises
        ------
        LeaseLost
            It ran out.
        """
        if self.clock() - self.renewed_t > LEASE_LIFE_MS / 3000:
            self.renew()

    def renew(self) -> None:
        """Renew the lease; raises as `keep`."""
        self.note_step()
        self.ledger.renew_lease(self.token, LEASE_LIFE_MS)
        self.renewed_t = self.clock()

    def release(self) -> None:
        """Let another bridge take over at once."""
        try:
            self.ledger.release(self.token)
        except redis.RedisError as error:
            log.warning("lease not released, it will expire", reason=str(error))

    def note_step(self) -> None:
        """Note that the bridge goes on."""
        self.last_step_t = self.clock()

    def live(self) -> tuple[bool, str]:
        """Return whether its bridge goes on, and if not, since when."""
        idle_s = self.clock() - self.last_step_t
        live = idle_s < MAX_ITERATION_S
        return live, "" if live else f"the bridge has been stuck for {idle_s:.0f} s"
