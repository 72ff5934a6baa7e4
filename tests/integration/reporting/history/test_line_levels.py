"""Levels of lines in the history: samples in minutes and hours, none among the records."""

from threading import Event

import pytest
from sqlalchemy import select

from tests.integration.reporting.history.entries import add_result
from vtox.motor.faults import LINES
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines.line_levels import EVERY_S
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.database import engine_to_read
from vtox.reporting.history.queries import trends_of_steps
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.history.resolution import Grid
from vtox.reporting.history.schema import records, series

NAMES = tuple(line.quantity for line in LINES["broken_bar"])


def test_lines_are_sampled_and_add_no_records(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    end = int(server_time(client)) // EVERY_S * EVERY_S
    # Records of 2 s without a gap, in three stretches of five minutes.
    for k in range(4 * EVERY_S // 2):
        t = end - 2 * EVERY_S - 5 + 2 * k
        if t > end:
            break
        found = {"lower_sideband_dbc": -40.0 - k % 2, "upper_sideband_dbc": None}
        add_result(client, float(t), fault="broken_bar", indicators=found)
    recorder.record(Event())
    engine = engine_to_read(settings)
    try:
        with engine.begin() as db:
            names = {n: i for i, n in db.execute(select(series.c.id, series.c.quantity))}
            kept = set(db.execute(select(records.c.series_id).distinct()).scalars())
            grid = Grid("minutes", EVERY_S)
            found = trends_of_steps(db, "M1", NAMES, grid, end - 3 * EVERY_S, end + EVERY_S)
    finally:
        engine.dispose()
    assert kept == {names["broken_bar"]}
    lower, upper = (found.series[n] for n in NAMES)
    assert sum(lower.n) == sum(upper.n) == 3
    assert [v for v in lower.mean if v is not None] == pytest.approx([-40.5] * 3, abs=0.6)
    assert not [v for v in upper.mean if v is not None], "no line above the noise"
