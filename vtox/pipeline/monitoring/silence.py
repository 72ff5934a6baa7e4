"""Notices machines that fall silent or send again, and forgets machines no longer needed.

The monitor calls it. It looks at the machines that send, and at machines that fell silent since its
last look: one that stays silent costs nothing more.
"""

from collections.abc import Mapping

import structlog

from vtox.motor.values.domain import Reason, reason
from vtox.motor.values.rhythm import Arrivals, Rhythm, SendingInterval
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.monitoring.readiness import MEMORY_FAIL_SHARE
from vtox.pipeline.store.alarms.flags import FlagChange, departures, flag_states, set_flags
from vtox.pipeline.store.ledger.retention import server_memory
from vtox.pipeline.store.ledger.retention_clock import retention_time
from vtox.pipeline.store.machines.machines import (
    arrivals_since,
    forget_silent,
    scalar_only_machines,
)
from vtox.pipeline.store.machines.rhythms import (
    Intervals,
    keep_rhythms,
    read_intervals,
    read_rhythms,
)
from vtox.pipeline.store.server.client import Client, server_start_t

log = structlog.get_logger()


# Looks for silence within the time after which a machine is silent.
LOOKS = 6


def look_every_s(settings: Settings) -> float:
    """Return the seconds between two looks for silence."""
    return min(settings.monitor_interval_s, settings.silence_after_s / LOOKS)


class SilenceWatch:
    """Keeps the arrival up to which the machines were looked at; earlier ones have not changed."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self.client = client
        self.settings = settings
        self._intervals = Intervals()
        # Entries that were read are looked at one look later, and the next look is one later again.
        self._delay_s = min(2 * look_every_s(settings), settings.silence_after_s / 2)
        self._least_s = settings.silence_after_s - self._delay_s
        self.reset_senders()

    def reset_senders(self) -> None:
        """Look at all machines next time."""
        self._senders: dict[str, Arrivals | None] = {}
        self._read_until = self._looked_until = self._forgotten_until = 0.0

    def look(self, read_until: float) -> None:
        """Raise or clear the alert `silent` of every machine that has ever sent.

        Silence lasts to the time up to which the stream was read one interval ago. So a window in
        the backlog is no silence, and a window that was read has been admitted meanwhile.

        Silence begins no earlier than the server, which took no window before, and not while a full
        server refuses windows. All times are the server's.
        """
        if read_until < self._read_until:  # the server's clock was set back
            self.reset_senders()
        client, after_s = self.client, self._least_s
        began = server_start_t(client)
        refusing = server_memory(client).share >= MEMORY_FAIL_SHARE
        arrived = arrivals_since(client, self._looked_until)
        self._learn_from_scalars(arrived)
        silent = flag_states(client, arrived, "silent")
        flagged = [m for m, was_silent in zip(arrived, silent, strict=True) if was_silent]
        departed = dict(zip(flagged, departures(client, flagged), strict=True))
        quiet = [m for m, t in arrived.items() if read_until - t > after_s]
        self._intervals = read_intervals(client, quiet, self._intervals)
        looked_until, changes = read_until - after_s, []
        for (machine_id, t), was_silent in zip(arrived.items(), silent, strict=True):
            silence_s = read_until - t
            counted_s = silence_s if was_silent else read_until - max(t, began)
            is_silent = counted_s > self._limit_s(machine_id) or departed.get(machine_id, 0.0) > t
            if not was_silent and (refusing or not is_silent):
                looked_until = min(looked_until, t)  # it may be silent without a change
            elif is_silent != was_silent:
                raised = self._why_silent(machine_id, silence_s) if is_silent else ()
                reasons = raised or (reason("windows_arrive"),)
                changes.append(FlagChange(machine_id, is_silent, reasons))
        set_flags(client, "silent", changes)
        self._read_until, self._looked_until = read_until, looked_until

    def _learn_from_scalars(self, arrived: Mapping[str, float]) -> None:
        """Learn the rhythm of machines that send scalars alone; the bridge learns the others'."""
        asked = {m: t for m, t in arrived.items() if self._senders.get(m, True) is not None}
        alone = scalar_only_machines(self.client, asked)
        new = [m for m in alone if m not in self._senders]
        known = read_rhythms(self.client, new)
        self._senders |= dict.fromkeys(asked.keys() - alone)
        self._senders |= {m: Arrivals(r or Rhythm()) for m, r in known.items()}
        changed = {}
        for m in alone:
            sender, t = self._senders[m], arrived[m]
            if sender is None or t == sender.last_t:
                continue
            before = sender.rhythm.interval
            if sender.add(t, t, self.settings.silence_after_s):
                changed[m] = sender.rhythm, sender.rhythm.interval != before
        if changed:
            keep_rhythms(self.client, changed)

    def _limit_s(self, machine_id: str) -> float:
        """Return how long a machine may be quiet; the alarm is raised before its time is over."""
        interval = self._intervals.of.get(machine_id, SendingInterval())
        return interval.limit_s(self.settings.silence_after_s) - self._delay_s

    def _why_silent(self, machine_id: str, silence_s: float) -> tuple[Reason, ...]:
        interval = self._intervals.of.get(machine_id, SendingInterval())
        why = reason("machine_silent"), reason("silence_duration", silence_s=silence_s)
        if interval.every_s is None:
            return why
        stated = interval.source == "nameplate"
        code = "interval_stated" if stated else "interval_learned"
        return *why, reason(code, every_s=interval.every_s)

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
