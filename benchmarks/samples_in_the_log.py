"""Cost of samples in the server's append-only log, and of ways to keep them out of it.

    python -m benchmarks.samples_in_the_log [--windows 1500] [--laps 6]

Servers take turns on the same windows, each retaining as many as a lap has. The servers: as
shipped; with the log rewritten at five times its size, not twice; with `XADD` in a script that is
not propagated; without log. CPU of the server and of its rewrites.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.bench.workload import windows
from benchmarks.results import Run
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.server.client import Client, connect

UNPROPAGATED = """\
server.set_repl(server.REPL_NONE)
return server.call('XADD', KEYS[1], '*', unpack(ARGV))
"""
# Name -> more configuration of the server, and whether the script adds the windows.
WAYS = {
    "as shipped": ("", False),
    "rewrites at five times the size": ("auto-aof-rewrite-percentage 400\n", False),
    "added by a script that is not propagated": ("", True),
    "without log": ("appendonly no\n", False),
}
DIFFERENT = 200
IN_A_PIPELINE = 10
Fields = dict[str, str | bytes]


@dataclass(slots=True)
class Side:
    """A server, and the costs of its laps so far."""

    name: str
    client: Client
    process: psutil.Process
    by_script: bool
    cpu_us: list[float]

    def cpu_s(self) -> float:
        """Return the CPU time of the server and of the rewrites that have ended, s."""
        return sum(self.process.cpu_times()[:4])

    def lap(self, sent: Sequence[Fields], n: int) -> None:
        """Add `n` windows, and trim those of the lap before."""
        before = self.cpu_s()
        script = self.client.register_script(UNPROPAGATED)
        for k in range(0, n, IN_A_PIPELINE):
            pipe = self.client.pipeline(transaction=False)
            for fields in (sent[i % len(sent)] for i in range(k, k + IN_A_PIPELINE)):
                if self.by_script:
                    script(keys=[keys.RAW], args=_flat(fields), client=pipe)
                else:
                    pipe.xadd(keys.RAW, fields)  # type: ignore[arg-type]
            pipe.execute()
        self.client.xtrim(keys.RAW, maxlen=n, approximate=False)
        while self.client.info("persistence")["aof_rewrite_in_progress"]:
            time.sleep(0.02)
        self.cpu_us.append(1e6 * (self.cpu_s() - before) / n)


def _flat(fields: Fields) -> list[str | bytes]:
    return [x for item in fields.items() for x in item]


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=1500)
    parser.add_argument("--laps", type=int, default=6)
    options = parser.parse_args()
    print(Run(), flush=True)
    sent = [w.fields for w in windows(DIFFERENT)]
    with ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vtox-log-")))
        sides = []
        for i, (name, (extra, by_script)) in enumerate(WAYS.items()):
            settings = load(data_dir=top / str(i))
            server = stack.enter_context(EmbeddedServer(settings, extra))
            client = connect(settings.samples_url(), "benchmark")
            sides.append(Side(name, client, psutil.Process(server.pid), by_script, []))
        for _ in range(1 + options.laps):
            for side in sides:
                side.lap(sent, options.windows)
        for side in sides:
            laps = side.cpu_us[1:]  # the first takes new memory
            low, high = min(laps), max(laps)
            rewrites = side.client.info("stats")["total_forks"]
            print(
                f"{side.name}: {statistics.mean(laps):.0f} us of the server a window "
                f"({low:.0f} to {high:.0f}), {rewrites} rewrites"
            )


if __name__ == "__main__":
    main()
