"""Wrong API keys are counted and slowed down at a bounded cost, and the right ones never are."""

import pytest

from vtox.pipeline.store.system.wrong_keys import (
    DIFFERENT_AT_MOST,
    HOUR_S,
    MINUTE_S,
    NAMED_AT_MOST,
    REMEMBERED,
    Attempts,
    WrongKeys,
)

HERE, ELSEWHERE = "10.0.0.7", "10.0.0.8"


class Clock:
    t = 1000.0

    def __call__(self) -> float:
        return self.t


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wrong(clock: Clock) -> WrongKeys:
    return WrongKeys(now=clock)


def guess(wrong: WrongKeys, address: str = HERE, n: int = DIFFERENT_AT_MOST) -> None:
    for i in range(n):
        wrong.note(address, f"guess {i}")


def test_who_guesses_waits_for_the_rest_of_the_minute(wrong: WrongKeys, clock: Clock) -> None:
    guess(wrong, n=DIFFERENT_AT_MOST - 1)
    assert wrong.wait_s(HERE, "x") == 0
    guess(wrong)
    clock.t += 20
    assert wrong.wait_s(HERE, "x") == pytest.approx(MINUTE_S - 20)
    assert wrong.wait_s(ELSEWHERE, "x") == 0, "others do not wait"
    clock.t += 41
    assert wrong.wait_s(HERE, "x") == 0


def test_one_program_with_an_old_key_does_not_make_its_address_wait(wrong: WrongKeys) -> None:
    for _ in range(10 * DIFFERENT_AT_MOST):
        wrong.note(HERE, "expired")
    assert wrong.wait_s(HERE, "x") == 0


def test_a_key_that_was_right_passes_from_the_same_address(wrong: WrongKeys) -> None:
    wrong.confirm("right")
    guess(wrong)
    assert (wrong.wait_s(HERE, "right"), wrong.wait_s(HERE, "other") > 0) == (0, True)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_behind_a_proxy_that_names_nobody_nobody_waits(wrong: WrongKeys, address: str) -> None:
    guess(wrong, address)
    assert wrong.wait_s(address, "x") == 0


def test_addresses_of_one_network_count_as_one(wrong: WrongKeys) -> None:
    for i in range(DIFFERENT_AT_MOST):
        wrong.note(f"2001:db8::{i:x}", f"guess {i}")
    assert wrong.wait_s("2001:db8::ffff", "x") > 0
    assert wrong.wait_s("2001:db8:0:1::1", "x") == 0


def test_the_audit_gets_few_entries_that_count(wrong: WrongKeys, clock: Clock) -> None:
    entries = [e for _ in range(1000) if (e := wrong.note(HERE, "x"))]
    assert entries == [Attempts(HERE, 10**n) for n in range(4)]
    clock.t += HOUR_S
    assert wrong.note(HERE, "x") == Attempts(HERE, 1), "another hour"


def test_millions_of_addresses_cost_no_more_than_some(wrong: WrongKeys) -> None:
    entries = [
        e for i in range(3 * REMEMBERED) if (e := wrong.note(f"10.1.{i >> 8}.{i & 255}", "x"))
    ]
    named = [e for e in entries if e.address]
    assert len(named) == NAMED_AT_MOST
    assert [e.so_far for e in entries if not e.address] == [1, 10, 100, 1000]
    assert len(wrong._addresses) <= REMEMBERED
    for i in range(2 * REMEMBERED):
        wrong.confirm(f"key {i}")
    assert len(wrong._confirmed) <= REMEMBERED
