"""The waits between attempts."""

import pytest

from vtox.reporting.notification.backoff import RETRY_AFTER_MAX_S, delay_s
from vtox.reporting.notification.webhook import attempt_of, retry_after_s


def test_waits_double_up_to_the_longest_and_jitter_halves_them_at_most() -> None:
    assert [delay_s(n, 5, 300, 0.0) for n in range(1, 9)] == [5, 10, 20, 40, 80, 160, 300, 300]
    assert delay_s(3, 5, 300, 1.0) == 10
    assert delay_s(10_000, 5, 300, 0.0) == 300


def test_what_the_target_asks_for_is_waited_within_reason() -> None:
    assert delay_s(1, 5, 300, 1.0, retry_after_s=60) == 60
    assert delay_s(9, 5, 300, 0.0, retry_after_s=60) == 300
    assert delay_s(1, 5, 300, 0.5, retry_after_s=1e9) == RETRY_AFTER_MAX_S


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("٣", None),
        ("9" * 400, 999_999_999.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_s(text, 10.0) == seconds


@pytest.mark.parametrize(
    ("status", "taken", "of_message", "final"),
    [
        (200, True, False, False),
        (204, True, False, False),
        (301, False, False, False),
        (401, False, False, False),
        (410, False, False, True),
        (422, False, True, False),
        (429, False, False, False),
        (500, False, False, False),
        (103, False, False, False),
    ],
)
def test_only_2xx_is_taken(status: int, taken: bool, of_message: bool, final: bool) -> None:
    a = attempt_of(status, {})
    assert (a.is_delivered, a.of_message, a.final) == (taken, of_message, final)
