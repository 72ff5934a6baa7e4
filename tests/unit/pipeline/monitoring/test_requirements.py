"""Needs of a number of machines in server, box, disk and workers, and the capacity of these."""

from dataclasses import replace

import pytest

from vtox.pipeline.configuration.settings import load
from vtox.pipeline.monitoring.capacity import SERVER
from vtox.pipeline.monitoring.requirements import (
    TYPICAL,
    Box,
    MachineLoad,
    requirements,
    resources,
    retained_s,
)
from vtox.pipeline.store.ledger.retention import SHORTER_FROM_SHARE

GB = 1e9
SETTINGS = load()
LIMIT = SETTINGS.redis_maxmemory_mb << 20
SMALL = Box(
    limit_bytes=LIMIT,
    memory_bytes=4 * GB,
    disk_free_bytes=100 * GB,
    workers=3,
    cores=4,
    link_bytes_per_s=125e6,
)
MEASURED = replace(TYPICAL, machines=300)


def carried(box: Box = SMALL, load_: MachineLoad = TYPICAL, **settings: int) -> dict[str, int]:
    return {r.code: r.carries for r in resources(load_, load(**settings), box)}


def test_the_defaults_carry_a_thousand_machines_on_four_gigabytes() -> None:
    found = list(requirements(1000, TYPICAL, SETTINGS, SMALL))
    assert [c.status for c in found] == ["pass"] * len(found)
    assert {c.remedy for c in found} == {""}


def test_the_thread_of_the_server_carries_1200_to_1800_machines() -> None:
    large = replace(SMALL, cores=64, workers=64, limit_bytes=32 * GB, memory_bytes=128 * GB)
    large = replace(large, disk_free_bytes=1000 * GB)
    settings = {"open_record_bytes": 20_000_000_000}
    alone, apart = (
        carried(replace(large, hosts=n, link_bytes_per_s=10e9), **settings) for n in (1, 3)
    )
    assert (alone["server_thread"], apart["server_thread"]) == (1666, 1166)
    for found in (alone, apart):
        assert next(iter(found)) == "server_thread"


def test_the_first_resource_is_the_one_that_runs_out_first() -> None:
    found = carried()
    assert list(found.values()) == sorted(found.values())


def test_what_is_measured_takes_the_place_of_the_typical_machine() -> None:
    twice = replace(TYPICAL, machines=50, busy_s=TYPICAL.busy_s | {SERVER: 840e-6})
    assert carried(load_=twice)["server_thread"] == carried()["server_thread"] // 2


def test_each_replica_takes_of_the_thread_and_the_link() -> None:
    two = carried(replace(SMALL, replicas=2))
    assert two["server_thread"] == 1400
    assert two["host_link"] == int(0.7 * 125e6 / (2 * 80_300))
    assert carried(replace(SMALL, replicas=2), MEASURED)["server_thread"] == 1666, "in the figure"
    assert "host_link" not in carried()


def test_on_other_hosts_each_family_fetches_the_samples_over_the_link() -> None:
    three = carried(replace(SMALL, hosts=3))
    assert three["host_link"] == int(0.7 * 125e6 / (3 * 80_300))
    assert next(iter(three)) == "host_link"
    assert three["worker_time"] == pytest.approx(2 * carried()["worker_time"], abs=1)
    assert three["host_cores"] > 2 * carried()["host_cores"], "less what server and bridge take"


@pytest.mark.parametrize("machines", [50, 200, 400, 1000])
def test_windows_stay_until_the_bridge_would_trim_them_for_memory(machines: int) -> None:
    found = retained_s(machines, TYPICAL, SETTINGS, SMALL)
    outputs = next(
        r.fixed for r in resources(TYPICAL, SETTINGS, SMALL) if r.code == "server_memory"
    )
    used = 1e6 * outputs + machines * (TYPICAL.state_bytes + TYPICAL.bytes_per_s * found)
    assert used / LIMIT == pytest.approx(SHORTER_FROM_SHARE) or found == SETTINGS.keep.windows.s
    assert used / LIMIT <= SHORTER_FROM_SHARE + 1e-6


@pytest.mark.parametrize(
    ("lacking", "code"),
    [
        ({"workers": 2}, "worker_time"),
        ({"cores": 3.5}, "host_cores"),
        ({"disk_free_bytes": GB}, "host_disk"),
        ({"memory_bytes": GB}, "host_memory"),
        ({"limit_bytes": GB}, "server_memory"),
    ],
)
def test_what_is_too_little_is_a_warning_with_its_remedy(
    lacking: dict[str, float], code: str
) -> None:
    found = list(requirements(1000, TYPICAL, SETTINGS, replace(SMALL, **lacking)))
    short = [c for c in found if c.status == "warn"]
    assert code in [c.code for c in short]
    assert all(c.remedy and "{" not in c.remedy + c.observed for c in short)


def test_the_server_never_takes_more_of_a_box_than_its_limit() -> None:
    assert carried(replace(SMALL, memory_bytes=4 * GB))["host_memory"] > 4000
    assert carried(replace(SMALL, memory_bytes=2 * GB))["host_memory"] < 300


def test_a_bound_of_open_records_that_is_too_small_is_named_by_itself() -> None:
    assert carried(open_record_bytes=100_000_000)["open_records"] == 132
    assert carried()["open_records"] > 1000


def test_partitions_carry_what_one_bridge_cannot() -> None:
    assert carried(replace(SMALL, partitions=4))["bridge_thread"] == 11_200


def test_of_a_server_elsewhere_the_box_needs_no_memory_and_no_disk() -> None:
    found = carried(replace(SMALL, server_here=False, limit_bytes=0))
    assert not found.keys() & {"host_memory", "host_disk", "server_memory"}
