"""Sums of minutes and hours are those of their records, in whatever batches they come."""

from collections.abc import Iterable

import numpy as np
import pytest

from vtox.reporting.history.downsampling import Aggregate, Key, Row, hours_of, minutes_of


def row(t_s: float, value: float | None, **changes: float | int | None) -> Row:
    return Row(1, round(1000 * t_s), 0, 0, 7, 0, value, 4.0, None)._replace(**changes)


@pytest.fixture
def rows() -> list[Row]:
    rng = np.random.default_rng(1)
    return [
        row(
            rng.uniform(0, 3 * 3600),
            None if rng.uniform() < 0.2 else float(rng.normal()),
            series_id=int(rng.integers(3)),
            outcome_id=int(rng.integers(2)),
            severity=float(rng.uniform()),
        )
        for _ in range(500)
    ]


def naive(rows: Iterable[Row], step_s: int) -> dict[Key, Aggregate]:
    groups: dict[Key, list[Row]] = {}
    for r in rows:
        t = int(r.t_ms / 1000 / step_s) * step_s
        groups.setdefault((r.series_id, t, r.outcome_id), []).append(r)
    found = {}
    for key, group in groups.items():
        values = [r.value for r in group if r.value is not None]
        found[key] = Aggregate(
            n=len(group),
            n_values=len(values),
            minimum=min(values, default=None),
            total=pytest.approx(sum(values)),
            maximum=max(values, default=None),
            threshold=4.0,
            severity=max(r.severity or 0.0 for r in group),
        )
    return found


def test_minutes_and_hours_are_those_of_the_records(rows: list[Row]) -> None:
    assert minutes_of(rows) == naive(rows, 60)
    assert hours_of(minutes_of(rows)) == naive(rows, 3600)


def test_batches_merge_to_the_same(rows: list[Row]) -> None:
    whole, parts = minutes_of(rows), minutes_of(rows[:200])
    for key, later in minutes_of(rows[200:]).items():
        parts.setdefault(key, Aggregate()).merge(later)
    assert {k: (a.n, a.minimum, a.maximum) for k, a in parts.items()} == {
        k: (a.n, a.minimum, a.maximum) for k, a in whole.items()
    }


def test_a_record_without_a_number_counts_and_has_no_part_in_the_mean() -> None:
    (aggregate,) = minutes_of([row(1, None), row(2, 3.0)]).values()
    assert (aggregate.n, aggregate.n_values, aggregate.total) == (2, 1, 3.0)
    assert aggregate.minimum == aggregate.maximum == 3.0
