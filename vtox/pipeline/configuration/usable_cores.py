"""How many of the host's cores this process may use, and how much of their time was used.

They are fewer than the host has if it is held to some of them (`taskset`, CPUAffinity of systemd,
cpuset). They are also fewer if its control group or one above has a quota of CPU time, which may be
a fraction of a core. Examples are `docker --cpus`, limits of Kubernetes, and CPUQuota of systemd.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil
import structlog

log = structlog.get_logger()

ROOT = Path("/")


@dataclass(frozen=True, slots=True)
class _CpuQuota:
    """The quota of a control group: so much CPU time per time; `used_s` is its use so far."""

    group: Path
    cores: float
    used_s: float


def usable_cores(root: Path = ROOT) -> float:
    """Return how many cores this process may use, 1.5 for instance."""
    held_to = len(_affinity()) or psutil.cpu_count() or 1
    return min([float(held_to), *(q.cores for q in _quotas(root))])


class CoreUse:
    """Measures which share of the time of the usable cores is used, by whatever runs on them.

    If there is a quota and more of it is used than of the cores, the share is that of the quota.
    Use one for each thread: psutil keeps its last reading by thread.
    """

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.t: float | None = None
        self.used_s: dict[Path, float] = {}
        self.unknown = False

    def share(self) -> float | None:
        """Return the share since the last call; None at first, and if the system is silent."""
        try:
            of_cores = _used_share_of_cores()
        except (OSError, psutil.Error) as error:
            if not self.unknown:
                self.unknown = True
                log.info("the load of this host is unknown", reason=str(error))
            return None
        quotas = list(_quotas(self.root))
        t, before_t, before = time.monotonic(), self.t, self.used_s
        self.t, self.used_s = t, {q.group: q.used_s for q in quotas}
        if before_t is None or t <= before_t:
            return None
        of_quotas = [
            (q.used_s - before[q.group]) / (q.cores * (t - before_t))
            for q in quotas
            if q.group in before
        ]
        # A group may use a little more than its quota in one second and less in the next.
        return min(max([of_cores, *of_quotas]), 1.0)


def _used_share_of_cores() -> float:
    """Return the share of the time of the allowed cores that was used since the last call."""
    shares = psutil.cpu_percent(percpu=True)
    held_to = _affinity()
    # Inside some containers only the own cores are listed, counted from 0.
    if held_to and len(held_to) < len(shares) and max(held_to) < len(shares):
        shares = [shares[core] for core in held_to]
    return sum(shares) / len(shares) / 100


def _affinity() -> list[int]:
    """Return the cores that this process is held to; none if the system does not say."""
    with suppress(AttributeError, psutil.Error):  # macOS knows no affinity
        return psutil.Process().cpu_affinity() or []
    return []


def _quotas(root: Path) -> Iterator[_CpuQuota]:
    """Yield the quotas of the control group of this process and of those above it.

    A container may see the path that its group has on the host, while it finds the group itself at
    the top. So the existing folders of the path count, and the top always.
    """
    folder = root / "sys/fs/cgroup"
    try:
        lines = os.fsdecode((root / "proc/self/cgroup").read_bytes()).splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        group = PurePosixPath(path.lstrip("/"))
        for part in (group, *group.parents):
            # There is no such group, it has no quota, or it says `max`.
            with suppress(OSError, ValueError, LookupError):
                if not controllers:
                    yield _quota(folder / part)
                elif "cpu" in controllers.split(","):
                    yield _quota_version_1(folder, part)


def _quota(group: Path) -> _CpuQuota:
    """Return the quota of a group of version 2."""
    quota_us, period_us = map(int, (group / "cpu.max").read_text().split())
    use = dict(line.split() for line in (group / "cpu.stat").read_text().splitlines())
    return _CpuQuota(group, quota_us / period_us, int(use["usage_usec"]) / 1e6)


def _quota_version_1(folder: Path, part: PurePosixPath) -> _CpuQuota:
    """Return the quota of a group of version 1."""
    group = folder / "cpu" / part
    quota_us = int((group / "cpu.cfs_quota_us").read_text())
    if quota_us < 0:
        raise ValueError("no quota")
    used_ns = int((folder / "cpuacct" / part / "cpuacct.usage").read_text())
    return _CpuQuota(
        group, quota_us / int((group / "cpu.cfs_period_us").read_text()), used_ns / 1e9
    )
