"""Notices machines that fall silent or send again, and forgets those that nobody needs any more.

The monitor calls it. What it looks at are the machines that send, and those that have fallen silent
since it looked last: one that is silent costs nothing more.
"""

import structlog

from vtox.configuration.settings import Settings
from vtox.pipeline.monitoring.readiness import MEMORY_FAIL_SHARE
from vtox.store.alarms.flags import FlagChange, departures, flag_states, set_flags
from vtox.store.ledger.retention import server_memory
from vtox.store.ledger.retention_clock import retention_time
from vtox.store.machines.machines import arrivals_since, forget_silent
from vtox.store.server.client import Client, server_start_t
from vtox.values.domain import reason

log = structlog.get_logger()


class SilenceWatch:
    """Holds up to which arrival the machines were looked at; those before are as they were."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self.client = client
        self.settings = settings
        self.begin_anew()

    def begin_anew(self) -> None:
        """Look at all machines next time."""
        self._read_until = self._looked_until = self._forgotten_until = 0.0

    def look(self, read_until: float) -> None:
        """Raise or clear the alert `silent` of every machine that has ever sent a window.

        Silence lasts to the time up to which the stream was read one interval ago: a window in the
        backlog is no silence, and one that was read has been admitted meanwhile. It begins no
        earlier than the server, which took no window before, and not while a full server refuses
        windows. All times are the server's.
        """
        if read_until < self._read_until:  # the server's clock was set back
            self.begin_anew()
        client, after_s = self.client, self.settings.silence_after_s
        began = server_start_t(client)
        refusing = server_memory(client).share >= MEMORY_FAIL_SHARE
        arrived = arrivals_since(client, self._looked_until)
        silent = flag_states(client, arrived, "silent")
        flagged = [m for m, was_silent in zip(arrived, silent, strict=True) if was_silent]
        departed = dict(zip(flagged, departures(client, flagged), strict=True))
        looked_until, changes = read_until - after_s, []
        for (machine_id, t), was_silent in zip(arrived.items(), silent, strict=True):
            silence_s = read_until - t
            counted_s = silence_s if was_silent else read_until - max(t, began)
            is_silent = counted_s > after_s or departed.get(machine_id, 0.0) > t
            if not was_silent and (refusing or not is_silent):
                looked_until = min(looked_until, t)  # it may be silent without a change
            elif is_silent != was_silent:
                raised = (reason("machine_silent"), reason("silence_duration", silence_s=silence_s))
                reasons = raised if is_silent else (reason("windows_arrive"),)
                changes.append(FlagChange(machine_id, is_silent, reasons))
        set_flags(client, "silent", changes)
        self._read_until, self._looked_until = read_until, looked_until

    def forget_unregistered(self, read_until: float) -> None:
        """Forget unregistered machines that are gone, for a limit bounds how many there may be."""
        now_t = retention_time(self.client)
        if now_t is None:
            return
        before_t = min(read_until, now_t) - self.settings.keep.unregistered.s
        if forgotten := forget_silent(self.client, before_t, self._forgotten_until):
            log.info(
                "unregistered machines forgotten that sent nothing for long", machines=forgotten
            )
        self._forgotten_until = max(before_t, 0.0)
