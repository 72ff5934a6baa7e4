"""Hosts as network namespaces of Linux, each with one link to a private bridge.

    root namespace  10.214.7.1 ── bridge ── a 10.214.7.11, b 10.214.7.12, ...

A link that is down loses packets in silence, as a cable that was pulled does: no end of it hears a
reset.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

BRIDGE = "vtoxbr"
NET = "10.214.7"
OWN = f"{NET}.1"
FIRST = 11
# Sets the host's name, then becomes the command.
NAMED = 'hostname "$0" && exec "$@"'


def why_impossible() -> str:
    """Return what this box lacks for namespaces, empty where nothing is missing."""
    if os.geteuid():
        return "needs root"
    if missing := [p for p in ("ip", "unshare", "hostname") if not shutil.which(p)]:
        return f"no program {', '.join(missing)}"
    try:
        ip("netns", "add", "vtox-probe")
        ip("netns", "del", "vtox-probe")
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

    def address(self, host: str) -> str:
        """Return the address of a host."""
        return f"{NET}.{FIRST + self.hosts.index(host)}"

    def command(self, host: str, command: Sequence[str]) -> list[str]:
        """Return the command line that becomes `command` on a host."""
        return [
            *("ip", "netns", "exec", f"vtox-{host}", "unshare", "--uts"),
            *("sh", "-c", NAMED, host, *command),
        ]

    def cut(self, host: str) -> None:
        """Pull the cable of a host."""
        ip("link", "set", f"vtox-{host}", "down")

    def mend(self, host: str) -> None:
        """Put it back."""
        ip("link", "set", f"vtox-{host}", "up")


@contextmanager
def open_network(hosts: Sequence[str]) -> Iterator[Network]:
    """Make hosts and bridge; remove them at the end, and what an earlier run has left before."""
    _remove(hosts)
    try:
        ip("link", "add", BRIDGE, "type", "bridge")
        ip("addr", "add", f"{OWN}/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        network = Network(hosts)
        for host in hosts:
            space = f"vtox-{host}"
            ip("netns", "add", space)
            ip("link", "add", space, "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("link", "set", space, "master", BRIDGE, "up")
            ip("-n", space, "addr", "add", f"{network.address(host)}/24", "dev", "eth0")
            ip("-n", space, "link", "set", "eth0", "up")
            ip("-n", space, "link", "set", "lo", "up")
        yield network
    finally:
        _remove(hosts)


def _remove(hosts: Sequence[str]) -> None:
    for host in hosts:
        # The link first: a namespace lives on until its last process has ended.
        for words in (("link", "del"), ("netns", "del")):
            with suppress(subprocess.CalledProcessError):
                ip(*words, f"vtox-{host}")
    with suppress(subprocess.CalledProcessError):
        ip("link", "del", BRIDGE)
