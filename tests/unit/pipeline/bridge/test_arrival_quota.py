"""The quota of one machine: so many windows and bytes a second, and some in advance."""

from dataclasses import replace

import pytest

from vtox.pipeline.bridge.arrival_quota import BURST_S, ArrivalQuota
from vtox.pipeline.windows.wire import Header

H = Header("M", "", 7, 1000.0, 1e4, 10_000, 20_000, ("ia",), None, None, None)


@pytest.mark.parametrize("quota", [ArrivalQuota(2.0, 0.0), ArrivalQuota(0.0, 40_000.0)])
def test_a_flood_passes_at_the_rate_that_is_allowed(quota: ArrivalQuota) -> None:
    admitted = sum(quota.charge(H, 100 + k / 100) for k in range(6000))
    assert admitted == pytest.approx(2 * (60 + BURST_S), abs=2)


def test_a_machine_at_its_rate_is_never_refused_and_no_machine_pays_for_another() -> None:
    quota = ArrivalQuota(2.0, 0.0)
    for k in range(1000):
        assert quota.charge(replace(H, machine_id="OTHER"), k / 2)
        quota.charge(H, k / 2)
        quota.charge(H, k / 2)


def test_one_window_of_any_size_passes() -> None:
    assert ArrivalQuota(0.0, 1.0).charge(H, 100.0)


def test_without_a_quota_nothing_is_kept() -> None:
    quota = ArrivalQuota(0.0, 0.0)
    assert all(quota.charge(H, 100.0) for _ in range(100))
    assert not quota.debts
