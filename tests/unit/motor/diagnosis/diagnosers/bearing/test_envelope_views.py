from dataclasses import replace

import numpy as np
import pytest

from tests.signals.vibration import (
    FS_HZ,
    MOTOR,
    ImpactTrain,
    Machine,
    defect,
    recording,
    vibration,
)
from tests.unit.motor.diagnosis.diagnosers.bearing.cases import HEALTHY
from vtox.motor.diagnosis.diagnosers.bearing.envelope_views import analyse_envelopes, measure_comb
from vtox.motor.diagnosis.diagnosers.bearing.search import search_combs
from vtox.motor.diagnosis.diagnosers.bearing.search_setup import SearchSetup, set_up_search
from vtox.motor.values.domain import Recording


def setups(*recordings: Recording) -> list[SearchSetup]:
    found = [set_up_search(i, r, MOTOR) for i, r in enumerate(recordings)]
    assert all(isinstance(s, SearchSetup) for s in found)
    return found  # type: ignore[return-value]


def test_views_follow_the_channels() -> None:
    x = vibration(HEALTHY, 2.0)
    two = Recording({"vibration": x, "vibration_z": x}, FS_HZ, 1458.0)
    ((views,),) = analyse_envelopes(setups(two))
    half = len(views.power) // 2
    assert views.channels == ["vibration", "vibration_z"]
    assert views.power[:half] == pytest.approx(views.power[half:])
    assert views.band(0) == ("vibration", 0.0, 625.0)
    assert views.band(half + 1) == ("vibration_z", 625.0, 1250.0)
    assert views.band(2 * half - 1) == ("vibration_z", 0.0, 5000.0)
    assert views.single_bands.tolist() == [*range(8), *range(half, half + 8)]


def test_a_batch_is_cut_into_chunks_of_one_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "vtox.motor.diagnosis.diagnosers.bearing.envelope_views.CHUNK_SAMPLES", 80_000
    )
    slow = recording(replace(HEALTHY, shaft_hz=12.0), 2.0)
    batch = [recording(HEALTHY, 1.0, seed=i) for i in range(13)]
    groups = list(analyse_envelopes(setups(*batch, slow)))
    assert sorted(v.setup.index for group in groups for v in group) == list(range(14))
    assert all(len({v.setup.layout for v in group}) == 1 for group in groups)
    assert sorted(len(group) for group in groups) == [1, 5, 8]


def test_one_record_more_than_a_chunk_is_computed_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "vtox.motor.diagnosis.diagnosers.bearing.envelope_views.CHUNK_SAMPLES", 80_000
    )
    batch = [recording(HEALTHY, 1.0, seed=i) for i in range(9)]
    assert [len(group) for group in analyse_envelopes(setups(*batch))] == [9]


def test_layouts_transformed_together_have_the_views_of_each_record_alone() -> None:
    fast, slow = (replace(HEALTHY, shaft_hz=hz) for hz in (20.0, 12.0))
    batch = setups(*(recording(m, 2.0, seed=i) for i, m in enumerate((slow, fast, fast, slow))))
    assert len({s.layout for s in batch}) == 2
    groups = list(analyse_envelopes(batch))
    assert [len(group) for group in groups] == [2, 2]
    for views in (v for group in groups for v in group):
        ((alone,),) = analyse_envelopes([views.setup])
        assert alone.bands == views.bands
        assert np.array_equal(alone.power, views.power)
        assert np.array_equal(alone.lines, views.lines)


def test_noise_has_lines_of_one() -> None:
    ((views,),) = analyse_envelopes(setups(recording(replace(HEALTHY, shaft=()), 4.0)))
    assert float(np.mean(views.lines[:8, 64:])) == pytest.approx(1.0, abs=0.1)
    assert views.speed_change is None


def test_the_modulation_of_a_comb_grows_with_the_impacts() -> None:
    modulations = []
    for strength in (0.5, 2.0, 8.0):
        x = recording(Machine(impacts=(defect("BPFO", strength),)), 4.0)
        ((views,),) = analyse_envelopes(setups(x))
        (search,) = search_combs([views], [views.setup.speed])
        harmonics, modulation = measure_comb(search.plan, search.findings["BPFO"], views)
        assert [h["hz"] for h in harmonics] == pytest.approx(
            [k * 3.6 * 24.3 for k in (1, 2, 3)], rel=0.02
        )
        modulations.append(modulation)
    assert modulations == sorted(modulations)


def test_a_comb_below_its_threshold_has_no_lines() -> None:
    ((views,),) = analyse_envelopes(setups(recording(HEALTHY, 2.0)))
    (search,) = search_combs([views], [views.setup.speed])
    assert measure_comb(search.plan, search.findings["BPFO"], views) == ((), 0.0)


def test_a_changing_speed_is_noted() -> None:
    once_a_turn = (ImpactTrain(order=1, jitter=0.0),)
    parts = [
        vibration(Machine(shaft_hz=hz, shaft=(1.0,), impacts=once_a_turn), 5.0)
        for hz in (24.3, 23.8)
    ]
    ((views,),) = analyse_envelopes(
        setups(Recording({"vibration": np.concatenate(parts)}, FS_HZ, 24.05 * 60))
    )
    assert views.speed_change is not None
    assert views.speed_change.code == "shaft_speed_changes"
