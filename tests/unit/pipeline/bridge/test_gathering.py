import pytest

from vtox.pipeline.bridge.gathering import (
    MAX_FACTOR,
    MAX_GATHERING_S,
    gathering_factor,
    gathering_s,
)


def test_nothing_waits_longer_while_half_of_the_host_is_free() -> None:
    assert [gathering_factor(share) for share in (0.0, 0.3, 0.5)] == [1.0] * 3
    assert gathering_s(0.04, 1.0) == 0.04


def test_more_gathers_the_busier_the_host_up_to_a_limit() -> None:
    factors = [gathering_factor(share) for share in (0.5, 0.6, 0.7, 0.75, 1.0)]
    assert factors == sorted(factors)
    assert factors[-2:] == [MAX_FACTOR] * 2
    assert gathering_s(0.04, 2.5) == pytest.approx(0.1)
    assert gathering_s(0.04, MAX_FACTOR) == MAX_GATHERING_S


def test_what_gathers_longer_by_its_settings_does_so_on_a_busy_host_too() -> None:
    assert [gathering_s(0.4, factor) for factor in (1.0, MAX_FACTOR)] == [0.4] * 2
