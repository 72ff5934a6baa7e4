"""Counts of events by command, and the events that never happened."""

from collections import Counter
from collections.abc import Mapping

from faults.interleavings import events
from faults.interleavings.commands import READS

# Events with a size, s.
SIZED = (events.DELAY, events.LATE, events.CLOCK, events.HOST_CLOCK)


def table(reached: Mapping[tuple[str, str], int]) -> str:
    """Return counts of events by command, then the pairs that were never reached."""
    commands = Counter[str]()
    for (command, _), n in reached.items():
        commands[command] += n
    lines = [f"| command | times | {' | '.join(events.KINDS)} |"]
    lines.append("|---|" + "---:|" * (len(events.KINDS) + 1))
    never, pairs = [], 0
    for command, times in commands.most_common():
        of = dict.fromkeys(events.possible(command, command not in READS))
        counts = [reached.get((command, k), 0) for k in events.KINDS]
        cells = [str(n) if k in of else "" for k, n in zip(events.KINDS, counts, strict=True)]
        lines.append(f"| {command} | {times} | {' | '.join(cells)} |")
        missed = [k for k in of if not reached.get((command, k))]
        pairs += len(of)
        never += [f"{command} x {k}" for k in missed]
    share = 1 - len(never) / max(pairs, 1)
    lines.append(f"\n{pairs - len(never)} of {pairs} pairs reached ({share:.0%}). Never reached:")
    return "\n".join([*lines, ", ".join(never) or "none"])
