"""`python -m evaluation`: run all studies, print their tables, write the page of results.

The page is `docs/appendix/evaluation.md`.
"""

import argparse
import platform
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import numpy as np
import scipy
from rich.console import Console

from evaluation import peers, plots, report
from evaluation.gather import Results, collect
from evaluation.outcome import Study
from evaluation.runs import recordings
from evaluation.runs.cost import cost
from evaluation.seeds import Stage, stage
from evaluation.sizes import FULL, QUICK, SMALLEST
from evaluation.studies import bad_shafts, broken_bar, model
from evaluation.studies import recordings as recorded
from evaluation.widened import SETS

DOCS = recordings.ROOT / "docs"
PAGE = "appendix/evaluation.md"
SIZES = {"full": FULL, "quick": QUICK, "smallest": SMALLEST}


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m evaluation", description=__doc__)
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument(
        "--quick",
        dest="size",
        action="store_const",
        const="quick",
        help="few records, for a first look",
    )
    sizes.add_argument(
        "--smallest",
        dest="size",
        action="store_const",
        const="smallest",
        help="almost no records, to check that it runs",
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes for the motor model")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=sorted(SETS),
        help="print these widened sets alone; writes no page",
    )
    parser.add_argument(
        "--final",
        action="store_true",
        help="final sets: other families, seeds from the commit that froze the thresholds",
    )
    parser.add_argument("--commit", default="", help="that commit, where git cannot say it")
    parser.add_argument(
        "--out", type=Path, help=f"folder for {PAGE} (default: docs; nothing with a size)"
    )
    options = parser.parse_args(arguments)
    size = options.size or "full"
    chosen = stage(final=options.final, commit=options.commit)
    if options.only:
        run_sets(options.only, size, chosen, options.jobs)
    else:
        run(size, chosen, options.jobs, options.out or (DOCS if size == "full" else None))


def run_sets(names: Sequence[str], size: str, chosen: Stage, jobs: int) -> None:
    """Run some of the widened sets and print them."""
    started = perf_counter()
    console = Console()
    console.print(chosen.sentence)
    with processes(jobs) as pool:
        for name in names:
            report.show(console, SETS[name](pool, chosen, SIZES[size]))
    console.print(f"{perf_counter() - started:.0f} s")


def run(size: str, chosen: Stage, jobs: int, out: Path | None) -> None:
    """Run all studies; write the page and its pictures into `out` if given."""
    started = perf_counter()
    console = Console()
    where = None if size == "smallest" else recordings.folder()
    # The cost is measured first, while no other process of this run is at work.
    measured_cost = cost(SIZES[size].repeats) if SIZES[size].repeats else None
    with processes(jobs) as pool:
        results = collect(pool, where, SIZES[size], measured_cost)
        widened = [run_set(pool, chosen, SIZES[size]) for run_set in SETS.values()]
    if where is None:
        console.print("No recordings: set VTOX_RECORDINGS to their folder. Motor model only.")
    studies = [*all_studies(results), *widened]
    for study in studies:
        report.show(console, study)
    spent = perf_counter() - started
    if out:
        facts = [*_facts(where, size, spent), ("widened sets", chosen.sentence)]
        write_page(results, studies, facts, where, out)
    console.print(f"{spent:.0f} s" + (f", written to {out / PAGE}" if out else ""))


@contextmanager
def processes(jobs: int) -> Iterator[Executor]:
    """Yield a pool of processes, spawned: a fork would copy the locks of this one's threads."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield pool


def all_studies(results: Results) -> list[Study]:
    """Return the studies in the order of the page."""
    studies = []
    if results.shorts is not None:
        studies.append(recorded.turn_short_study(results.shorts))
    if results.bearings is not None:
        studies.append(recorded.bearing_study(results.bearings))
    if results.stuck is not None:
        studies.append(recorded.repeated_samples_study(results.stuck))
    return [
        *studies,
        bad_shafts.bad_shaft_study(results.shafts),
        broken_bar.broken_bar_study(results.rotor),
        model.slip_study(results.slip),
        model.shorted_turns_study(results.turns),
        model.eccentricity_study(results.gap),
        model.insulation_study(results.earth),
        report.cost_study(results.cost),
    ]


def write_page(
    results: Results,
    studies: Sequence[Study],
    facts: Sequence[tuple[str, str]],
    where: Path | None,
    out: Path,
) -> None:
    """Write the page and its pictures."""
    pictures = _pictures(results, where, out / "img" / "evaluation")
    report.write(studies, pictures, facts, out / PAGE)


def _pictures(results: Results, where: Path | None, images: Path) -> dict[str, str]:
    captions = {}
    if plots.detection(broken_bar.detection_curves(results.rotor), images / "detection.png"):
        captions["../img/evaluation/detection.png"] = (
            "Broken bars found against level, 10 s, slip of 1 % and more, motor model"
        )
    sets = model.roc_scores(results.rotor, results.turns, results.gap)
    sets |= recorded.roc_scores(results.bearings or {})
    if plots.rocs(sets, images / "roc.png"):
        captions["../img/evaluation/roc.png"] = (
            "ROC of the decided records, each from 1/n of its n healthy ones on, where 10 or more "
            "were decided: a speed sensor for the bars, voltage and baseline for the turns"
        )
    if plots.rotor_cage_spectrum(images / "cage.png"):
        captions["../img/evaluation/cage.png"] = "Current of the 2.2 kW model, slip 3 %, -48 dBc"
    example = recordings.example_vibration(where) if where else None
    if example and plots.envelope(*example, "BPFI", images / "envelope.png"):
        captions["../img/evaluation/envelope.png"] = (
            "Envelope above 2 kHz of the recording IR007_1 (Case Western Reserve University): the "
            "comb of the inner race, and at the foot the orders of the other defects"
        )
    return captions


def _facts(where: Path | None, size: str, spent_s: float) -> Sequence[tuple[str, str]]:
    named = {n: v or "not installed" for n, v in peers.versions().items()}
    return [
        (
            "Python, numpy, scipy",
            f"{platform.python_version()}, {np.__version__}, {scipy.__version__}",
        ),
        *named.items(),
        ("recordings", "found" if where else "not found"),
        ("size", size),
        ("run time", f"{spent_s / 60:.1f} min on a shared machine"),
    ]


if __name__ == "__main__":
    main()
