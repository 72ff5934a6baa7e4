"""The command: runs seeds; prints each broken rule, its seed and the shortest schedule to it."""

import argparse
import gc
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from itertools import count, islice, zip_longest
from pathlib import Path

import structlog

from faults.interleavings import coverage, processes, recording
from faults.interleavings.events import is_general
from faults.interleavings.run import Outcome, Run
from faults.interleavings.server import FrozenClock, server
from faults.interleavings.shrinking import Plan, shrink
from vtox.pipeline.configuration.settings import load

# Runs between two collections of garbage.
COLLECT_EVERY = 20


def main(argv: Sequence[str]) -> int:
    """Run the command; 1 if something does not hold."""
    options = parser().parse_args(argv)
    if options.jobs > 1:
        return _run_jobs(options)
    # It and the server take turns: on a busy host they wait for each other less on one core.
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[options.core % len(cores)]})
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    processes.install()
    gc.disable()
    with tempfile.TemporaryDirectory(prefix="vtox-interleavings-") as folder:
        with server(Path(folder)) as (url, clock):
            recording.install(Path(folder), load(redis_url=url, data_dir=Path(folder)))
            return _Command(options, url, clock, Path(folder)).run()


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    parser = argparse.ArgumentParser(prog="faults.interleavings", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--general", action="store_true", help="only those without an aim")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the seeds")
    parser.add_argument("--core", type=int, default=os.getpid(), help="where a single one runs")
    parser.add_argument("--these", default="", help="these seeds, with commas between")
    parser.add_argument("--guards", type=Path, help="append to this file which guards mattered")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no seed after so long")
    parser.add_argument("--first", action="store_true", help="end at the first that fails")
    parser.add_argument("--repeat", type=int, default=1, help="run each seed so often, and compare")
    parser.add_argument("--log", action="store_true", help="print every command of each run")
    parser.add_argument("--coverage", action="store_true", help="print events by command")
    parser.add_argument("--no-shrink", action="store_true", help="print no schedule")
    return parser


def seeds_of(options: argparse.Namespace) -> Sequence[int]:
    """Return the seeds that are asked for."""
    if options.these:
        return [int(s) for s in options.these.split(",")]
    if options.general:
        return list(islice(filter(is_general, count(options.seed)), options.seeds))
    return range(options.seed, options.seed + options.seeds)


def _run_jobs(options: argparse.Namespace) -> int:
    """Share the seeds among processes; 1 if one of them failed."""
    command = [sys.executable, "-m", "faults.interleavings"]
    started = [subprocess.Popen([*command, *part]) for part in arguments_of_jobs(options)]
    return int(any([p.wait() for p in started]))


def arguments_of_jobs(options: argparse.Namespace) -> list[list[str]]:
    """Return the arguments of each process: its share of the seeds, and the options of all."""
    seeds = seeds_of(options)
    each = -(-len(seeds) // options.jobs)
    flags = ("first", "log", "coverage", "general", "no_shrink")
    of_all = [f"--{f.replace('_', '-')}" for f in flags if getattr(options, f)]
    of_all += ["--seconds", str(options.seconds), "--repeat", str(options.repeat)]
    of_all += ["--guards", str(options.guards)] if options.guards else []
    found = []
    for core, n in enumerate(range(0, len(seeds), each)):
        part = seeds[n : n + each]
        some = ["--seed", str(part[0]), "--seeds", str(len(part))]
        if options.these:
            some = ["--these", ",".join(map(str, part))]
        found.append([*some, "--core", str(core), *of_all])
    return found


class _Command:
    def __init__(
        self, options: argparse.Namespace, url: str, clock: FrozenClock, folder: Path
    ) -> None:
        self.options = options
        self.where = url, clock, folder
        self.reached: Counter[tuple[str, str]] = Counter()
        self.failed = 0

    def run(self) -> int:
        o, began = self.options, time.monotonic()
        seeds = seeds_of(o)
        for n, seed in enumerate(seeds, start=1):
            self._run_seed(seed)
            if n % COLLECT_EVERY == 0:
                gc.collect()
                print(f"{n} seeds, {self.failed} failed", flush=True)
            if (self.failed and o.first) or time.monotonic() - began > o.seconds:
                break
        took_s = time.monotonic() - began
        rate = 60 * n * o.repeat / took_s
        print(f"seeds {seeds[0]} to {seed}: {took_s:.1f} s, {rate:.0f} a minute", end=", ")
        general = sum(map(is_general, seeds[:n]))
        print(f"{self.failed} failed, {n} run, {general} of them general")
        if o.coverage:
            print(coverage.table(self.reached))
        return int(self.failed > 0)

    def _run_seed(self, seed: int) -> None:
        outcomes = [self._outcome(seed) for _ in range(self.options.repeat)]
        first = outcomes[0]
        self.reached.update(first.reached)
        if self.options.log:
            print("\n".join(first.log or ()))
        histories = {o.history for o in outcomes}
        if self.options.repeat > 1:
            print(f"seed {seed}: {len(outcomes)} runs, {len(histories)} histories: {first.history}")
            if other := next((o for o in outcomes if o.history != first.history), None):
                print("\n".join(_first_difference(first.log or [], other.log or [])))
        if self.options.guards:
            line = {"seed": seed, "holds": not first.broken, "guards": sorted(first.guards)}
            with self.options.guards.open("a") as file:
                file.write(json.dumps(line) + "\n")
        if first.broken or len(histories) > 1:
            self.failed += 1
        if first.broken:
            print(f"seed {seed}: {first.what}", flush=True)
            if not self.options.no_shrink:
                self._print_schedule(first)

    def _outcome(self, seed: int, plan: Plan | None = None) -> Outcome:
        keep_log = (self.options.log or self.options.repeat > 1) and plan is None
        return Run(*self.where, seed, plan, keep_log=keep_log).run()

    def _print_schedule(self, o: Outcome) -> None:
        """Print the fewest events that lead to the same."""
        plan = {place: event for place, (_, event) in o.happened.items()}
        kept = shrink(plan, lambda fewer: self._outcome(o.seed, fewer).broken == o.broken)
        print(f"  {len(kept)} of {len(plan)} events lead to it:")
        for place in kept:
            command, event = o.happened[place]
            size = f" {event.size_s:.3f} s" if event.kind in coverage.SIZED else ""
            print(
                f"  {place[0]}, its command {place[1]} ({command}): {event.kind}{size}", flush=True
            )


def _first_difference(one: Sequence[str], other: Sequence[str]) -> tuple[str, str]:
    """Return the lines in which two logs differ first."""
    pairs = zip_longest(one, other, fillvalue="its end")
    return next((pair for pair in pairs if pair[0] != pair[1]), ("", ""))
