"""Run everything once and collect the outcomes; the tables of the page are made of these."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.outcome import Answers, Outcome
from evaluation.runs import bad_shafts, broken_bar, recordings, turns_gap_insulation
from evaluation.runs.cost import Cost
from evaluation.runs.recordings import ShortResults
from evaluation.sizes import Size
from vtox.motor.values.domain import Diagnosis


@dataclass(frozen=True, slots=True)
class Results:
    """Outcomes on recordings (None if there are none), on the motor model, and the cost."""

    shorts: ShortResults | None
    bearings: dict[str, list[Outcome]] | None
    stuck: Sequence[tuple[str, list[Diagnosis]]] | None
    shafts: Answers
    rotor: Mapping[str, Answers]
    slip: Sequence[Outcome]
    turns: Answers
    gap: Sequence[Outcome]
    earth: Answers
    cost: Cost | None


def collect(pool: Executor, where: Path | None, size: Size, cost: Cost | None) -> Results:
    """Run everything; `where` is the folder of recordings, `cost` was measured before."""
    recorded = _submit_recordings(pool, where, size) if where else {}
    shafts = pool.submit(
        bad_shafts.bad_shaft_answers, sound=size.shafts, damaged=size.damaged_races
    )
    rotor = broken_bar.rotor_answers(pool, size)
    turns = turns_gap_insulation.turn_answers(pool, size)
    gap = turns_gap_insulation.gap_answers(pool, size)
    slip = broken_bar.slip_answers(pool, size)
    earth = turns_gap_insulation.earth_answers(pool, size)
    real = {name: future.result() for name, future in recorded.items()}
    vibration = shafts.result()
    return Results(
        real.get("shorts"),
        real.get("bearings"),
        real.get("stuck"),
        vibration,
        rotor,
        slip,
        turns,
        gap,
        earth,
        cost,
    )


def _submit_recordings(pool: Executor, where: Path, size: Size) -> Mapping[str, Future[Any]]:
    return {
        "shorts": pool.submit(recordings.turn_short_results, where, hop_s=size.hop_s),
        "bearings": pool.submit(
            recordings.bearing_outcomes, where, pieces=size.pieces, every=size.bearing_every
        ),
        "stuck": pool.submit(recordings.repeated_sample_diagnoses, where),
    }
