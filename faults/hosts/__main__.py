"""`python -m faults.hosts`: runs scenarios on three hosts, checks their histories, prints a table.

python -m faults.hosts [SCENARIO ...] [--keep FOLDER]
"""

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from faults.check import Verdict, check
from faults.history import Event, read
from faults.hosts.availability import availability
from faults.hosts.scenarios import READY_SHARE, SCENARIOS
from faults.run import run

COLUMNS = (
    "run",
    "windows acknowledged",
    "lost",
    "doubled",
    "dead letters",
    "duplicate executions",
    "answered in time",
    "available",
    "API ready",
    "recovery, s",
    "further figures",
    "",
)


def row(events: Sequence[Event], verdict: Verdict) -> str:
    """Return a run as a line of the table."""
    f, a = verdict.figures, availability(events)
    measures = {e["name"]: e["value"] for e in events if e["event"] == "measure"}
    ready = measures.pop(READY_SHARE, None)
    further = "; ".join(f"{name}: {value:g}" for name, value in measures.items())
    recovery = ", ".join(f"{s:.1f}" for s in a.recovery_s) or "-"
    cells = [f.test, f.windows, f.lost, f.doubled, f.dead, _share(f.duplicates)]
    cells += [_share(a.in_time), _share(a.available), _share(ready), recovery, further or "-"]
    cells.append("**failed**" if verdict.violations else "passed")
    return f"| {' | '.join(map(str, cells))} |"


def _share(x: float | None) -> str:
    return "unknown" if x is None else f"{x:.1%}"


def main(arguments: Sequence[str]) -> int:
    """Run the scenarios; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m faults.hosts", description=__doc__.splitlines()[0]
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--keep", type=Path, help="where histories and logs are kept")
    options = parser.parse_args(arguments)
    if unknown := set(options.scenarios) - set(SCENARIOS):
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    # An end by SIGTERM leaves no process and no namespace behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    top = options.keep or Path(tempfile.mkdtemp(prefix="vtox-hosts-"))
    rows, failed = [], 0
    for name in options.scenarios or [n for n in SCENARIOS if not n.endswith("-short")]:
        test = SCENARIOS[name]()
        if test.needs:
            print(f"{test.name}: not tested, {test.needs}", flush=True)
            continue
        history = run(test, top / name)
        events = list(read(history))
        verdict = check(events)
        for violation in verdict.violations:
            print(f"  {violation}", file=sys.stderr, flush=True)
        failed += bool(verdict.violations)
        rows.append(row(events, verdict))
        print(rows[-1], flush=True)
    print("\n".join(["", f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS), *rows]))
    if not failed and not options.keep:
        shutil.rmtree(top)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
