"""What a number of machines needs of server, box, disk and workers."""

from dataclasses import replace

import pytest

from vtox.monitoring.requirements import TYPICAL, Box, requirements, server_needs, stay_s
from vtox.settings import load
from vtox.store.retention import ServerMemory, effective_retention_s

GB = 1e9
SETTINGS = load()
LIMIT = SETTINGS.redis_maxmemory_mb << 20
SMALL = Box(limit_bytes=LIMIT, memory_bytes=4 * GB, disk_free_bytes=100 * GB, workers=3, cores=4)


def codes(machines: int, box: Box = SMALL, **settings: int) -> list[str]:
    return [c.code for c in requirements(machines, TYPICAL, load(**settings), box)]


def test_the_defaults_carry_a_thousand_machines_on_four_gigabytes() -> None:
    assert codes(1000) == [
        "load_assumed",
        "server_memory_suffices",
        "box_memory_suffices",
        "disk_suffices",
        "workers_for_machines_suffice",
        "cores_for_machines_suffice",
    ]


@pytest.mark.parametrize("machines", [50, 200, 400, 1000, 2000])
def test_the_retention_is_the_one_that_the_bridge_comes_to_rest_at(machines: int) -> None:
    needs = server_needs(machines, TYPICAL, SETTINGS, LIMIT)
    used = needs.fixed + needs.retained
    by_bridge = effective_retention_s(SETTINGS, ServerMemory(round(used), LIMIT))
    assert needs.retained_s == pytest.approx(by_bridge, abs=0.01)


def test_a_window_stays_until_its_records_are_complete_or_the_retention_is_over() -> None:
    load_ = replace(TYPICAL, record_s=10.0)
    waits = [1.0 + 10.0 * (k + 0.5) / 1000 for k in range(1000)]
    for retained_s in (0.0, 1.0, 4.0, 11.0, 60.0):
        expected = sum(max(w, retained_s) for w in waits) / len(waits)
        assert stay_s(retained_s, load_) == pytest.approx(expected, rel=1e-4)


def test_the_settings_that_it_names_suffice() -> None:
    (_, short, *_) = requirements(5000, TYPICAL, SETTINGS, SMALL)
    assert (short.code, short.status) == ("server_memory_is_short", "warn")
    larger = replace(SMALL, limit_bytes=int(short.values["least_mib"]) << 20)
    open_bytes = int(short.values["open_record_bytes"])
    assert codes(5000, larger, open_record_bytes=open_bytes)[1] == "server_memory_suffices"


@pytest.mark.parametrize("limit_bytes", [0, 100 * GB])
def test_a_bound_of_open_records_that_is_too_small_is_named_by_itself(limit_bytes: int) -> None:
    box = replace(SMALL, limit_bytes=limit_bytes)
    settings = load(open_record_bytes=100_000_000)
    (_, bounded, *_) = requirements(1000, TYPICAL, settings, box)
    assert (bounded.code, bounded.status) == ("open_records_are_bounded", "warn")
    assert "100 are allowed" in bounded.observed
    enough = int(bounded.values["open_record_bytes"])
    assert codes(1000, box, open_record_bytes=enough)[1] != "open_records_are_bounded"


def test_too_few_workers_cores_or_disk_is_a_warning_each() -> None:
    for lacking, code in (
        ({"workers": 2}, "workers_are_few"),
        ({"cores": 3.5}, "cores_are_few"),
        ({"disk_free_bytes": GB}, "disk_is_short"),
        ({"memory_bytes": GB}, "box_memory_is_short"),
    ):
        found = list(requirements(1000, TYPICAL, SETTINGS, replace(SMALL, **lacking)))
        assert [c.code for c in found if c.status == "warn"] == [code]


def test_cores_may_be_fractions_and_unknown() -> None:
    assert codes(100, replace(SMALL, cores=0.4))[-1] == "cores_for_machines_suffice"
    assert codes(100, replace(SMALL, cores=None))[-1] == "cores_unknown"


def test_of_a_server_elsewhere_the_box_needs_no_memory_and_no_disk() -> None:
    found = codes(1000, replace(SMALL, server_here=False, limit_bytes=0))
    memory, *others = found[1:]
    assert (found[0], memory) == ("load_assumed", "server_memory_has_no_limit")
    assert others == ["workers_for_machines_suffice", "cores_for_machines_suffice"]
