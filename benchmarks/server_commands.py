"""What a server does for a window: calls and time of each command, and what is left over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vtox.pipeline.store.server.client import Client

# Below this difference a command is not worth a line, us a window.
SHOWN_FROM_US = 1.0


class Use(NamedTuple):
    """How often a command was called so far, and how long it took in all, us."""

    calls: float
    us: float


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands of a server so far; those that a script calls count in the script too."""

    by_name: Mapping[str, Use]
    cpu_us: float  # of the server's main thread


def commands(client: Client) -> Commands:
    """Read what a server has done so far."""
    stats = client.info("commandstats")
    cpu = client.info("cpu")
    used = cpu["used_cpu_user_main_thread"] + cpu["used_cpu_sys_main_thread"]
    return Commands(
        {name.removeprefix("cmdstat_"): Use(s["calls"], s["usec"]) for name, s in stats.items()},
        1e6 * used,
    )


def per_window(before: Commands, after: Commands, windows: int) -> dict[str, Use]:
    """Return command -> calls and time for a window; `main thread` is all that the server did."""
    used = {
        name: Use(
            (now.calls - before.by_name.get(name, Use(0, 0)).calls) / windows,
            (now.us - before.by_name.get(name, Use(0, 0)).us) / windows,
        )
        for name, now in after.by_name.items()
    }
    return used | {"main thread": Use(0.0, (after.cpu_us - before.cpu_us) / windows)}


def comparison(few: Mapping[str, Use], many: Mapping[str, Use]) -> Sequence[str]:
    """Return the lines of a table of the commands that differ, the largest difference first."""
    none = Use(0.0, 0.0)
    pairs = {n: (few.get(n, none), many.get(n, none)) for n in {*few, *many}}
    differing = {n: p for n, p in pairs.items() if abs(p[1].us - p[0].us) >= SHOWN_FROM_US}
    lines = [
        "| command | few, calls a window | us | many, calls a window | us |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, (a, b) in sorted(differing.items(), key=lambda x: x[1][0].us - x[1][1].us):
        lines.append(f"| {name} | {a.calls:.2f} | {a.us:.1f} | {b.calls:.2f} | {b.us:.1f} |")
    return lines
