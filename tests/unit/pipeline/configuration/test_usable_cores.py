"""The cores that a process may use, on this host and in control groups that look like real ones."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from vtox.pipeline.configuration import usable_cores as module
from vtox.pipeline.configuration.usable_cores import CoreUse, usable_cores

Files = dict[str, str]


@pytest.fixture(autouse=True)
def eight_cores_at_40_percent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_affinity", lambda: list(range(8)))
    monkeypatch.setattr(psutil, "cpu_percent", lambda percpu: [40.0] * 8)


def system(root: Path, own: str, files: Files) -> Path:
    for name, text in {"proc/self/cgroup": own, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


def group(name: str, limit: str, used_us: int = 0) -> Files:
    stat = f"usage_usec {used_us}\nuser_usec {used_us}\nnr_throttled 3"
    folder = f"sys/fs/cgroup/{name}"
    return {f"{folder}/cpu.max": limit, f"{folder}/cpu.stat": stat}


def group_version_1(name: str, quota_us: int, used_ns: int = 0) -> Files:
    return {
        f"sys/fs/cgroup/cpu/{name}/cpu.cfs_quota_us": str(quota_us),
        f"sys/fs/cgroup/cpu/{name}/cpu.cfs_period_us": "100000",
        f"sys/fs/cgroup/cpuacct/{name}/cpuacct.usage": str(used_ns),
    }


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("0::/", {}, 8.0),
        ("0::/", group("", "max 100000"), 8.0),
        ("0::/", group("", "150000 100000"), 1.5),
        ("0::/", group("", "1600000 100000"), 8.0),
        # systemd: the unit has no quota, its slice has one
        ("0::/v.slice/v.service", group("v.slice/v.service", "max 1") | group("v.slice", "2 1"), 2),
        # the path is that of the host, the container sees its group at the top
        ("0::/docker/4f", group("", "50000 100000"), 0.5),
        ("0::/../4f", group("", "50000 100000"), 0.5),
        ("4:cpu,cpuacct:/docker/4f\n0::/", group_version_1("docker/4f", 250000), 2.5),
        ("4:cpu,cpuacct:/docker/4f\n0::/", group_version_1("", 250000), 2.5),
        ("2:cpuset:/a\n1:cpu:/", group_version_1("", -1), 8.0),
    ],
)
def test_the_smallest_of_affinity_and_quotas_counts(
    tmp_path: Path, own: str, files: Files, cores: float
) -> None:
    assert usable_cores(system(tmp_path, own, files)) == cores


def test_without_control_groups_the_affinity_counts(tmp_path: Path) -> None:
    assert usable_cores(tmp_path) == 8
    core_use = CoreUse(tmp_path)
    assert (core_use.share(), core_use.share()) == (None, pytest.approx(0.4))


@pytest.mark.parametrize(
    ("used_s", "share"), [(0.1, 0.4), (0.9, 0.6), (1.2, 0.8), (1.53, 1.0)], ids=str
)
@pytest.mark.parametrize("version", [1, 2])
def test_the_use_of_the_quota_counts_where_it_is_larger_than_that_of_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int, used_s: float, share: float
) -> None:
    now = 100.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))

    def use(until_s: float) -> None:
        if version == 2:
            system(tmp_path, "0::/a/b", group("a", "150000 100000", int(1e6 * until_s)))
        else:
            system(tmp_path, "1:cpu:/a/b", group_version_1("a", 150000, int(1e9 * until_s)))

    core_use = CoreUse(tmp_path)
    use(7.0)
    assert core_use.share() is None
    now += 1.0
    use(7.0 + used_s)
    assert core_use.share() == pytest.approx(share)


def test_of_several_cores_only_those_that_it_is_held_to_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "cpu_percent", lambda percpu: [10.0, 90.0, 50.0, 0.0])
    for held_to, share in (([1], 0.9), ([0, 2], 0.3), ([0, 1, 2, 3], 0.375), ([], 0.375)):
        monkeypatch.setattr(module, "_affinity", lambda held_to=held_to: held_to)
        core_use = CoreUse(tmp_path)
        assert core_use.share() is None
        assert core_use.share() == pytest.approx(share)
    # cores 4 and 6 of a host, which its container lists as the first two
    monkeypatch.setattr(psutil, "cpu_percent", lambda percpu: [10.0, 90.0])
    monkeypatch.setattr(module, "_affinity", lambda: [4, 6])
    core_use = CoreUse(tmp_path)
    assert (core_use.share(), core_use.share()) == (None, pytest.approx(0.5))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system knows no affinity")
def test_a_process_that_is_held_to_one_core_may_use_one() -> None:
    core = min(os.sched_getaffinity(0))
    code = (
        f"import os; os.sched_setaffinity(0, [{core}])\n"
        "from vtox.pipeline.configuration.usable_cores import usable_cores; print(usable_cores())"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert 0 < float(found.stdout) <= 1
