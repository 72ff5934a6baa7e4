"""`python -m evaluation`: run all studies, print their tables, write docs/EVALUATION.md."""

import argparse
import platform
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import scipy
from rich.console import Console

from evaluation import model, on_cage, on_model, on_recordings, peers, plots, recordings, report
from evaluation.cost import cost
from evaluation.metrics import Floats, Rate
from evaluation.model import FULL, QUICK, Size
from evaluation.outcome import Study

Curves = dict[str, tuple[Floats, Floats]]
DOCS = recordings.ROOT / "docs"


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m evaluation", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few records, for a first look")
    parser.add_argument("--jobs", type=int, default=2, help="processes for the motor model")
    parser.add_argument(
        "--out", type=Path, help="folder for EVALUATION.md (default: docs; nothing with --quick)"
    )
    options = parser.parse_args()
    out = options.out or (None if options.quick else DOCS)
    run(QUICK if options.quick else FULL, options.jobs, out)


def run(size: Size, jobs: int, out: Path | None) -> None:
    """Run all studies; write the page and its pictures into `out` if given."""
    started = perf_counter()
    console = Console()
    where = recordings.folder()
    images = out / "img" / "evaluation" if out else None
    # The cost is measured first, while no other process of this run is at work.
    price = report.cost_study(cost(2 if size == QUICK else 5))
    pictures: dict[str, str] = {}
    # Started afresh: a fork would copy the locks of the threads of this process.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        recorded = _submitted(pool, where, size)
        rotor = model.rotor_answers(pool, size)
        turns = model.turn_answers(pool, size)
        gap = model.gap_answers(pool, size)
        simulated = [
            on_cage.cage_study(rotor),
            on_model.slip_study(model.slip_answers(pool, size)),
            on_model.turns_study(turns),
            on_model.gap_study(gap),
            on_model.earth_study(model.earth_answers(pool, size)),
        ]
        real, real_curves = _recorded(recorded)
    if where is None:
        console.print("No recordings: set VTOX_RECORDINGS to their folder. Motor model only.")
    studies = [*real, *simulated, price]
    for study in studies:
        report.show(console, study)
    if images:
        curves = on_model.roc_curves(rotor, turns, gap) | real_curves
        pictures = _pictures(images, on_cage.detection_curves(rotor), curves, where)
    spent = perf_counter() - started
    if out:
        report.write(studies, pictures, _facts(where, size, spent), out / "EVALUATION.md")
    console.print(f"{spent:.0f} s" + (f", written to {out / 'EVALUATION.md'}" if out else ""))


def _submitted(pool: Executor, where: Path | None, size: Size) -> Mapping[str, Future[Any]]:
    if where is None:
        return {}
    if size == QUICK:
        return {
            "shorts": pool.submit(recordings.shorts, where, hop_s=1.0),
            "bearings": pool.submit(recordings.bearings, where, pieces=1, every=4),
            "stuck": pool.submit(recordings.stuck, where),
        }
    return {
        "shorts": pool.submit(recordings.shorts, where),
        "bearings": pool.submit(recordings.bearings, where),
        "stuck": pool.submit(recordings.stuck, where),
    }


def _recorded(submitted: Mapping[str, Future[Any]]) -> tuple[list[Study], Curves]:
    found = {name: future.result() for name, future in submitted.items()}
    studies: list[Study] = []
    curves: Curves = {}
    if (shorts := found.get("shorts")) is not None:
        studies.append(on_recordings.shorts_study(shorts))
    if (bearings := found.get("bearings")) is not None:
        studies.append(on_recordings.bearings_study(bearings))
        curves = on_recordings.curves(bearings)
    if (stuck := found.get("stuck")) is not None:
        studies.append(on_recordings.stuck_study(stuck))
    return studies, curves


def _pictures(
    images: Path,
    detection: dict[str, list[tuple[float, Rate]]],
    curves: Curves,
    where: Path | None,
) -> dict[str, str]:
    found = {}
    if plots.detection(detection, images / "detection.png"):
        found["img/evaluation/detection.png"] = (
            "Broken bars found against level, 10 s, slip of 1 % and more, motor model"
        )
    if plots.rocs(curves, images / "roc.png"):
        found["img/evaluation/roc.png"] = "ROC of the decided records"
    if plots.cage_spectrum(images / "cage.png"):
        found["img/evaluation/cage.png"] = "Current of the 2.2 kW model, slip 3 %, -48 dBc"
    example = recordings.example_vibration(where) if where else None
    if example and plots.envelope(*example, images / "envelope.png"):
        found["img/evaluation/envelope.png"] = (
            "Envelope of the recording IR007_1 (Case Western Reserve University) with the orders "
            "of its bearing"
        )
    return found


def _facts(where: Path | None, size: Size, spent_s: float) -> Sequence[tuple[str, str]]:
    named = {n: v or "not installed" for n, v in peers.versions().items()}
    return [
        (
            "Python, numpy, scipy",
            f"{platform.python_version()}, {np.__version__}, {scipy.__version__}",
        ),
        *named.items(),
        ("recordings", "found" if where else "not found"),
        ("size", "quick" if size == QUICK else "full"),
        ("run time", f"{spent_s / 60:.1f} min on a shared machine"),
    ]


if __name__ == "__main__":
    main()
