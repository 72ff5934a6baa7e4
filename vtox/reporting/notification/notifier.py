"""The notifier, `vtox notify run`: fills the outbox from the streams and empties it to the targets.

Each target has its own thread, so that one which hangs or fails delays no other.
"""

import os
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

import redis
import structlog

from vtox.motor.errors import VtoxError
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import RulesError
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.heartbeats import NotifierHeartbeat, TargetState
from vtox.pipeline.store.ledger.retention_clock import retention_time
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history import database
from vtox.reporting.history.migrations.upgrade import migrate
from vtox.reporting.notification import outbox, outbox_figures
from vtox.reporting.notification.attempt import Attempt
from vtox.reporting.notification.backoff import delay_s
from vtox.reporting.notification.consumer import Consumer
from vtox.reporting.notification.outbox import OutgoingMessage
from vtox.reporting.notification.present import PresentStates
from vtox.reporting.notification.rules import Rules, Target

log = structlog.get_logger()

# An alarm is raised by seconds of data: one more before somebody hears of it is not felt.
PAUSE_S = 1.0
REPORT_EVERY_S = 5.0
DELETE_EVERY_S = 3600.0
# A message being sent may end within this time; the supervisor allows twice as much.
STOP_S = 2.0
# In addition to the time that a target may take: a message is another notifier's after that. Longer
# than two hosts' clocks may differ before VTOX raises an alarm of them.
CLAIM_MARGIN_S = 5.0
DAY_MS = 86_400_000

# (name, target, message id, body) -> how the attempt ended.
Send = Callable[[str, Target, str, bytes], Attempt]
# Raises an error that names a fault in the URL or the secrets of a target.
Check = Callable[[str, Target], None]


class Notifier:
    """Follows the streams, and sends in one thread for each target.

    `problem` says why no message is sent; empty if all is well.
    """

    def __init__(
        self,
        client: Client,
        settings: Settings,
        rules: Rules,
        senders: Mapping[str, Send],
        check: Check = lambda name, target: None,
    ) -> None:
        self.settings = settings
        self.rules = rules
        self._writer = database.engine_to_write(settings)
        self.reader = database.engine_to_read(settings)
        self.client = client
        self.problem = ""
        self._consumer = Consumer(client, self._writer, rules, settings)
        self._present = PresentStates(client, self._writer, rules, settings)
        self._senders = senders
        self._check = check
        self._prepared = threading.Event()
        self._due: dict[str, float] = {}
        self._clock = _ServerClock()

    def run(self, stop: threading.Event) -> None:
        """Notify until stopped; a step that fails is tried again from where the tables say."""
        threads = [
            threading.Thread(target=self._empty, args=(name, stop), name=name, daemon=True)
            for name in self.rules.targets
        ]
        for t in threads:
            t.start()
        while not stop.is_set():
            if self.try_once():
                stop.wait(PAUSE_S)
        end = time.monotonic() + STOP_S
        for t in threads:
            t.join(max(end - time.monotonic(), 0.0))
        with suppress(redis.RedisError):  # it goes stale then
            heartbeats.remove_notifier(self.client)
        self.close()

    def close(self) -> None:
        """Close the connections to the database."""
        self._writer.dispose()
        self.reader.dispose()

    def try_once(self) -> bool:
        """Bring new entries into the outbox; False if more are there at once."""
        problem, complete = "", True
        try:
            with database.explain_errors(self.settings):
                complete = self._fill()
        except (redis.RedisError, VtoxError) as error:
            problem = str(error)
        except Exception as error:  # an end would be no more than a start: it tries again
            log.exception("the notifier failed and tries again")
            problem = f"{type(error).__name__}: see cluster.log"
        if problem:
            self._consumer.forget()
            self._present.forget()
            self._prepared.clear()
        if problem != self.problem:
            log.warning("no message is sent until this is over", reason=problem) if (
                problem
            ) else log.info("notifying again")
        self.problem = problem
        if self._is_due("report", REPORT_EVERY_S):
            self._report()
        return complete

    def send_next(self, name: str) -> bool:
        """Send the next message due to a target; False if none is."""
        target, now = self.rules.targets[name], self._clock.now_ms()
        row_id = outbox.next_due(self.reader, name, now, in_order=target.kind == "mqtt")
        if row_id is None:
            return False
        claimed_ms = round(1000 * (target.timeout_s + CLAIM_MARGIN_S))
        delivery = outbox.claim(self._writer, row_id, now, now + claimed_ms)
        if delivery is None:
            return False
        # A process that was stopped here, and wakes, must not send a row another has taken over.
        if self._clock.now_ms() > now + round(1000 * CLAIM_MARGIN_S):
            return False
        send = self._senders[target.kind]
        attempt = send(name, target, delivery.message_id, delivery.body.encode())
        self._settle(target, delivery, attempt)
        if attempt.fresh:
            outbox.renew(self._writer, name, self._clock.now_ms(), delivery.id)
        return attempt.is_delivered

    def _fill(self) -> bool:
        self._clock.follow(self.client)
        if not self._prepared.is_set():
            database.make_file(self.settings)
            migrate(self._writer)
            outbox.drop_other_targets(self._writer, list(self.rules.targets))
            self._prepared.set()
        complete = self._consumer.follow()
        self._present.follow(self._clock.now_ms())
        self._consumer.resume_suspended()
        self._consumer.send_second_notices()
        self._consumer.make_digests(self._clock.now_ms())
        if self._is_due("deletion", DELETE_EVERY_S):
            now_t = retention_time(self.client)
            if now_t is not None:
                outbox.delete_settled(self._writer, round(1000 * now_t))
        return complete

    def _empty(self, name: str, stop: threading.Event) -> None:
        """Send to one target until stopped."""
        while not stop.is_set():
            sent = False
            try:
                if self._prepared.is_set():
                    with database.explain_errors(self.settings):
                        sent = self.send_next(name)
            except VtoxError as error:
                log.warning("a target waits for the outbox", target=name, reason=str(error))
            except Exception:  # one target must not end the thread that serves it
                log.exception("sending failed and is tried again", target=name)
            if not sent:
                stop.wait(PAUSE_S)

    def _settle(self, target: Target, d: OutgoingMessage, attempt: Attempt) -> None:
        now = self._clock.now_ms()
        if attempt.is_delivered:
            outbox.settle_delivered(self._writer, d, now)
            return
        give_up = attempt.final or now - d.created_ms > target.give_up_after_days * DAY_MS
        wait_s = _wait_s(target, d.attempts + 1, attempt)
        # A message that is refused alone says nothing of the others.
        failures = 0 if attempt.of_message else 1 + outbox.failures(self.reader, d.target)
        target_wait_s = _wait_s(target, failures, attempt) if failures else 0.0
        outbox.settle_failed(
            self._writer,
            d,
            now,
            attempt.problem,
            due_ms=now + round(1000 * wait_s),
            target_due_ms=now + round(1000 * target_wait_s),
            give_up=give_up,
        )
        log.warning(
            "given up" if give_up else "not delivered",
            target=d.target,
            message=d.message_id,
            problem=attempt.problem,
            attempts=d.attempts + 1,
        )

    def _is_due(self, task: str, every_s: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(task, 0.0):
            return False
        self._due[task] = now + every_s
        return True

    def _checked(self, name: str, state: TargetState) -> TargetState:
        """Return the state of a target, with the present problem of its secrets."""
        try:
            if name in self.rules.targets:
                self._check(name, self.rules.targets[name])
        except RulesError as error:
            return replace(state, unusable=str(error))
        return state

    def _report(self) -> None:
        targets: Mapping[str, TargetState] = {}
        problem = self.problem
        try:
            if self._prepared.is_set():
                with database.explain_errors(self.settings):
                    targets = outbox_figures.target_states(self.reader, list(self.rules.targets))
                    targets = {n: self._checked(n, state) for n, state in targets.items()}
        except VtoxError as error:
            problem = problem or str(error)
        try:
            beat = NotifierHeartbeat(
                pid=os.getpid(),
                host=socket.gethostname(),
                last_seen_t=server_time(self.client),
                problem=problem,
                targets=targets,
            )
            heartbeats.send(self.client, beat)
        except redis.RedisError:
            pass  # the next pass says so


def _wait_s(target: Target, failures: int, attempt: Attempt) -> float:
    return delay_s(
        failures, target.retry_first_s, target.retry_max_s, random.random(), attempt.retry_after_s
    )


class _ServerClock:
    """The server's clock, which goes on while the server is away: from the last look at it."""

    def __init__(self) -> None:
        self._offset_s = 0.0

    def follow(self, client: Client) -> None:
        """Look at the server's clock."""
        t = server_time(client)
        self._offset_s = t - time.monotonic()

    def now_ms(self) -> int:
        """Return the time, ms since 1970."""
        return round(1000 * (time.monotonic() + self._offset_s))
