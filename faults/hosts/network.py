"""Hosts as network namespaces of Linux, each with one link to a private bridge.

    root namespace  10.214.N.1 ── bridge ── a 10.214.N.11, b 10.214.N.12, ...

N is one that no other run on this box has now.

A link that is down loses packets silently, like a pulled cable: neither end gets a reset.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from vtox.pipeline.cluster.file_lock import try_lock

FIRST = 11
NUMBERS = range(1, 255)
LOCKS = Path(tempfile.gettempdir())
# Sets the host's name, then becomes the command.
NAMED = 'hostname "$0" && exec "$@"'


def why_impossible() -> str:
    """Return the reason why this box has no namespaces, empty if it has them."""
    if os.geteuid():
        return "needs root"
    if missing := [p for p in ("ip", "unshare", "hostname") if not shutil.which(p)]:
        return f"no program {', '.join(missing)}"
    try:
        probe = f"vtox-probe-{os.getpid()}"
        ip("netns", "add", probe)
        ip("netns", "del", probe)
    except subprocess.CalledProcessError as error:
        return f"`ip netns add` fails: {error.stderr.strip()}"
    return ""


def ip(*words: str) -> None:
    """Run `ip`."""
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@dataclass(frozen=True, slots=True)
class Network:
    """The hosts by name; `open_network` makes and removes them."""

    hosts: Sequence[str]
    number: int

    @property
    def bridge(self) -> str:
        """The name of the bridge that joins them."""
        return f"vtox{self.number}"

    def space(self, host: str) -> str:
        """Return the name of a host's namespace, and of the near end of its link."""
        return f"vtox{self.number}-{host}"

    def address(self, host: str) -> str:
        """Return the address of a host."""
        return f"10.214.{self.number}.{FIRST + self.hosts.index(host)}"

    def command(self, host: str, command: Sequence[str]) -> list[str]:
        """Return the command line that becomes `command` on a host."""
        inside = ["ip", "netns", "exec", self.space(host), "unshare", "--uts"]
        return [*inside, "sh", "-c", NAMED, host, *command]

    def cut(self, host: str) -> None:
        """Pull the cable of a host."""
        ip("link", "set", self.space(host), "down")

    def mend(self, host: str) -> None:
        """Put it back."""
        ip("link", "set", self.space(host), "up")

    def make(self) -> None:
        """Make bridge and hosts."""
        ip("link", "add", self.bridge, "type", "bridge")
        ip("addr", "add", f"10.214.{self.number}.1/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        for host in self.hosts:
            space = self.space(host)
            ip("netns", "add", space)
            ip("link", "add", space, "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("link", "set", space, "master", self.bridge, "up")
            ip("-n", space, "addr", "add", f"{self.address(host)}/24", "dev", "eth0")
            ip("-n", space, "link", "set", "eth0", "up")
            ip("-n", space, "link", "set", "lo", "up")

    def remove(self) -> None:
        """Remove all that exist of them."""
        for host in self.hosts:
            # The link first: a namespace lives on until its last process has ended.
            for words in (("link", "del"), ("netns", "del")):
                with suppress(subprocess.CalledProcessError):
                    ip(*words, self.space(host))
        with suppress(subprocess.CalledProcessError):
            ip("link", "del", self.bridge)


@contextmanager
def open_network(hosts: Sequence[str]) -> Iterator[Network]:
    """Make hosts and bridge; remove them at the end, and leftovers of an earlier run before."""
    with _free_number() as number:
        network = Network(hosts, number)
        network.remove()
        try:
            network.make()
            yield network
        finally:
            network.remove()


@contextmanager
def _free_number() -> Iterator[int]:
    """Reserve a number that no other run has; a killed run frees its number."""
    for number in NUMBERS:
        if (fd := try_lock(LOCKS / f"vtox-hosts-{number}.lock")) is not None:
            try:
                yield number
            finally:
                os.close(fd)
            return
    raise OSError(f"{len(NUMBERS)} runs hold a network each: see {LOCKS}/vtox-hosts-*.lock")
