"""Equal warnings are one line with a count, and nothing else is held back."""

import io
import logging

import pytest

from vtox.pipeline.cluster.repeated_lines import EVERY_S, KEPT, RepeatedLines


class Log:
    """A process that logs: its text, and its clock."""

    def __init__(self) -> None:
        self.t_s = 1000.0
        self.text = io.StringIO()
        self.handler = RepeatedLines(self.text, lambda: self.t_s)
        self.handler.setFormatter(logging.Formatter("%(message)s"))

    def say(self, message: object, level: int = logging.WARNING, *args: object) -> None:
        self.handler.handle(logging.LogRecord("vtox", level, "", 0, message, args, None))

    @property
    def lines(self) -> list[str]:
        return self.text.getvalue().splitlines()


@pytest.fixture
def log() -> Log:
    return Log()


def away(t: int) -> dict[str, object]:
    """A line of structlog: its time differs each time."""
    return {"event": "the server does not answer", "reason": "refused", "t": t}


def test_a_server_that_is_away_for_half_a_minute_is_two_lines(log: Log) -> None:
    for t in range(87):
        log.t_s += 0.5
        log.say(away(t))
    assert log.lines == [str(away(0))]
    log.t_s += EVERY_S
    log.say("it answers again", logging.INFO)
    assert log.lines[1:] == [str({**away(86), "times": 86}), "it answers again"]


def test_a_process_that_ends_writes_its_count(log: Log) -> None:
    log.say("away %s", logging.WARNING, 7)
    log.say("away %s", logging.WARNING, 7)
    log.handler.close()
    assert log.lines == ["away 7", "away 7"]


def test_other_lines_are_written_at_once(log: Log) -> None:
    for message, level in (("a", 30), ("b", 30), ("a", 40), ("i", 20), ("i", 20)):
        log.say(message, level)
    assert log.lines == ["a", "b", "a", "i", "i"]


def test_what_is_remembered_is_bounded(log: Log) -> None:
    for n in range(2 * KEPT):
        log.say(f"warning {n}")
        log.say(f"warning {n}")
    assert len(log.lines) == 3 * KEPT
