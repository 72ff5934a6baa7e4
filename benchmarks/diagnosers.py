"""The cost of the diagnosers: CPU per second of one machine's data, by family and by stage.

    python -m benchmarks.diagnosers [--against CHECKOUT] [--rounds 15]

The records are like those of workers: three currents and one vibration channel of simulated
machines, 10 kHz, counts of 16 bits, as long as each family needs, without baselines. Another
checkout is measured in turn, batch by batch: only such ratios mean anything on a shared box. Each
round has its own processes: the places of arrays in the memory of a process may make 6 % as long as
it lives. One thread per maths library, memory kept as in a worker.
"""

import argparse
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from statistics import median, quantiles
from time import process_time
from typing import TYPE_CHECKING, Any

if "--answer" in sys.argv:  # in another checkout
    import_module("older_checkouts")

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402  (after the thread limits, which it reads when loaded)

from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch  # noqa: E402
from vtox.motor.faults import FAMILIES  # noqa: E402
from vtox.motor.simulator.fleet import fleet  # noqa: E402
from vtox.motor.simulator.signals import window  # noqa: E402
from vtox.motor.values.domain import CURRENTS, Recording  # noqa: E402
from workers.malloc import keep_freed_memory  # noqa: E402

if TYPE_CHECKING:  # it had another name in older checkouts
    from vtox.motor.simulator.fleet import SimulatedMachine

# Channels and measured speed of one record a machine.
Samples = list[tuple[dict[str, Any], float | None]]

MACHINES = 32
BATCHES = (32, 8, 1)
# Times that each cost is measured in a round; its median counts.
TURNS = 5
FS_HZ = 10_000.0
CHANNELS = (*CURRENTS, "vibration")
# Parts of the time of a batch: module and function, as the module calls it. Functions of one module
# do not call each other, so that their times add up to less than the whole. Named, not imported:
# another checkout may have other modules.
DIAGNOSERS, BEARING, DSP = (
    "vtox.motor.diagnosis.diagnosers",
    "vtox.motor.diagnosis.diagnosers.bearing",
    "vtox.motor.diagnosis.dsp",
)
STAGES = {
    "currents: front end": (f"{DIAGNOSERS}.registry", "front_end"),
    "currents: of it quality": (f"{DIAGNOSERS}.current.front_end", "sample_problems"),
    "currents: of it transform": (f"{DSP}.partial_fft", "spectra"),
    "currents: of it frames": (f"{DSP}.supply_line", "frame_phasors"),
    "slip": (f"{DIAGNOSERS}.registry", "analyse_slip"),
    "turn short": (f"{DIAGNOSERS}.turn_short.diagnoser", "diagnose"),
    "insulation": (f"{DIAGNOSERS}.insulation.diagnoser", "diagnose"),
    "bearing": (f"{BEARING}.diagnoser", "diagnose"),
    "bearing: quality": (f"{BEARING}.diagnoser", "_problems"),
    "bearing: shaft phase": (f"{BEARING}.diagnoser", "resample_moving_shaft"),
    "bearing: spectra of segments": (f"{BEARING}.envelope_views", "segment_spectra"),
    "bearing: envelope spectra": (f"{DSP}.envelope_spectrum", "spectra_of_envelopes"),
    "bearing: power of views": (f"{DSP}.envelope_spectrum", "view_power"),
    "bearing: noise floor": (f"{DSP}.envelope_spectrum", "over_floor"),
    "bearing: combs": (f"{BEARING}.signs", "search_combs"),
    "bearing: other impacts": (f"{BEARING}.signs", "_without_comb"),
    "bearing: rules": (f"{BEARING}.diagnoser", "bearing_verdicts"),
    "eccentricity": (f"{DIAGNOSERS}.eccentricity.diagnoser", "diagnose"),
    "broken bar": (f"{DIAGNOSERS}.broken_bar.diagnoser", "diagnose"),
}


def machines() -> "list[SimulatedMachine]":
    """Return machines that send `CHANNELS`, some of them with a fault."""
    return [m for m in fleet(6 * MACHINES) if set(m.channels) == set(CHANNELS)][:MACHINES]


def samples_of_machines(seconds: float) -> Samples:
    return [window(m, 60, seconds, FS_HZ) for m in machines()]


def questions(samples: Samples) -> list[DiagnosisInput]:
    return [
        DiagnosisInput(Recording(channels, FS_HZ, speed), machine.motor)
        for (channels, speed), machine in zip(samples, machines(), strict=True)
    ]


def ask(cases: list[DiagnosisInput], faults: tuple[str, ...], batch: int) -> None:
    for start in range(0, len(cases), batch):
        diagnose_batch(cases[start : start + batch], faults)


def first_seconds(cases: list[DiagnosisInput], seconds: float) -> list[DiagnosisInput]:
    """Return the cases cut to the records of a family, side by side as a worker fetches them."""
    size = round(seconds * FS_HZ)
    currents = np.empty((len(cases), len(CURRENTS), size), np.float32)
    vibration = np.empty((len(cases), 1, size), np.float32)
    cut = []
    for case, *rows in zip(cases, currents, vibration, strict=True):
        channels = dict(zip(CHANNELS, [x for own in rows for x in own], strict=True))
        for name, x in channels.items():
            x[:] = case.recording.channels[name][:size]
        cut.append(DiagnosisInput(Recording(channels, FS_HZ, case.recording.speed_rpm), case.motor))
    return cut


def cpu_ms(run: Callable[[], object]) -> float:
    start = process_time()
    run()
    return 1e3 * (process_time() - start)


class Measuring:
    """Times the batches of a family when asked."""

    def __init__(self, samples: Samples) -> None:
        keep_freed_memory()
        whole = questions(samples)
        self.cases = {f: first_seconds(whole, FAMILIES[f].min_record_s) for f in FAMILIES}
        for family in FAMILIES:
            self.cost(family, MACHINES)

    def cost(self, family: str, batch: int) -> float:
        """Return ms of CPU per second of one machine's data."""
        cases, faults = self.cases[family], FAMILIES[family].faults
        total = cpu_ms(lambda: ask(cases, faults, batch))
        return total / len(cases) / FAMILIES[family].min_record_s

    def stages(self, rounds: int) -> dict[tuple[str, str], float]:
        """Return ms of CPU per second of one machine's data in batches of 32, by stage."""
        spent: dict[str, float] = {}
        for stage, (home, name) in STAGES.items():
            module = import_module(home)
            setattr(module, name, _timed(getattr(module, name), stage, spent))
        by_stage: dict[tuple[str, str], list[float]] = {}
        for _ in range(rounds):
            for name, family in FAMILIES.items():
                spent.clear()
                ask(self.cases[name], family.faults, MACHINES)
                for stage, ms in spent.items():
                    by_stage.setdefault((name, stage), []).append(ms)
        return {
            (f, stage): median(ms) / MACHINES / FAMILIES[f].min_record_s
            for (f, stage), ms in by_stage.items()
        }


def _timed(work: Callable[..., Any], stage: str, spent: dict[str, float]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        start = process_time()
        answer = work(*args, **kwargs)
        spent[stage] = spent.get(stage, 0.0) + 1e3 * (process_time() - start)
        return answer

    return run


def answer() -> None:
    """As a checkout's process, print a cost for each line of family and batch on standard input."""
    keep_freed_memory()  # before the records come, as in a worker
    measuring = Measuring(pickle.load(sys.stdin.buffer))
    for line in sys.stdin.buffer:
        family, batch = line.decode().split()
        print(measuring.cost(family, int(batch)), flush=True)


class Checkout:
    """A process that measures a checkout with this file."""

    def __init__(self, root: Path, samples: Samples) -> None:
        process = self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), "--answer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        assert process.stdin
        assert process.stdout
        self.questions, self.answers = process.stdin, process.stdout
        pickle.dump(samples, self.questions)

    def close(self) -> None:
        self.questions.close()
        self.process.wait()

    def cost(self, family: str, batch: int) -> float:
        self.questions.write(f"{family} {batch}\n".encode())
        self.questions.flush()
        return float(self.answers.readline())


Costs = dict[tuple[str, int], float]


def interleaved_round(roots: Sequence[Path], samples: Samples) -> list[Costs]:
    """Return the costs of each checkout, by family and batch size; they take turns in going first.

    The last family is all of them together, as workers ask.
    """
    checkouts = [Checkout(root, samples) for root in roots]
    costs: list[Costs] = [{} for _ in checkouts]
    for family in FAMILIES:
        for batch in BATCHES:
            measured: list[list[float]] = [[] for _ in checkouts]
            turns = list(zip(checkouts, measured, strict=True))
            for _ in range(TURNS):
                for checkout, own in turns:
                    own.append(checkout.cost(family, batch))
                turns.reverse()
            for own_costs, own in zip(costs, measured, strict=True):
                own_costs[family, batch] = median(own)
    for checkout in checkouts:
        checkout.close()
    return [c | {("all", b): sum(c[f, b] for f in FAMILIES) for b in BATCHES} for c in costs]


def middle(values: Sequence[float]) -> str:
    low, mid, high = quantiles(values, n=4)
    return f"{mid:.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, help="another checkout, measured in turn")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.answer:
        answer()
        return
    samples = samples_of_machines(max(f.min_record_s for f in FAMILIES.values()))
    roots = [r for r in (Path(__file__).resolve().parents[1], arguments.against) if r]
    rounds = [interleaved_round(roots, samples) for _ in range(arguments.rounds)]
    paired = len(roots) > 1
    print("| family | batch | ms per second of data |" + (" before | ratio |" if paired else ""))
    print("|---|---:|---:|" + ("---:|---:|" if paired else ""))
    for family, batch in rounds[0][0]:
        columns = [[costs[family, batch] for costs in r] for r in rounds]
        cells = [middle(c) for c in zip(*columns, strict=True)]
        if paired:
            cells.append(middle([own / other for own, other in columns]))
        print(f"| {family} | {batch} | {' | '.join(cells)} |")
    print("\n| family | stage, batches of 32 | ms per second of data |\n|---|---|---:|")
    for (family, stage), ms in Measuring(samples).stages(arguments.rounds).items():
        print(f"| {family} | {stage} | {ms:.4f} |")
    print(f"\nnumpy {np.__version__}, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
