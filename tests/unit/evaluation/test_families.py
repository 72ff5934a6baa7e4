"""The machine families: the same for the same seed, plausible, design and final ones apart."""

import numpy as np
import pytest

from evaluation import seeds
from evaluation.families.catalogue import FAMILIES, Family, families
from evaluation.families.conditions import LOADS, SUPPLIES
from evaluation.families.machines import BLOCK, conditions, machine, record_case
from evaluation.motor_model.plants import PLANTS


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
def test_machines_of_a_family_are_of_its_size_and_have_a_credible_nameplate(family: Family) -> None:
    for number in range(5):
        motor = machine(family, number, seed=1).motor
        assert motor.pole_pairs in family.pole_pairs
        assert family.kw[0] <= motor.rated_power_w / 1e3 <= family.kw[1]
        assert 0.003 < motor.rated_slip < 0.07
        assert 0.45 < motor.active_share < 0.95
        assert motor.supply == ("inverter" if family.drive else "grid")


def test_a_seed_gives_one_record_and_another_seed_another() -> None:
    one, again = (record_case(machine(FAMILIES[0], 2, seed=5), 3) for _ in range(2))
    assert one == again
    assert one.seed != record_case(machine(FAMILIES[0], 2, seed=6), 3).seed


def test_a_machine_keeps_its_load_and_gear_and_meets_every_supply() -> None:
    mixers = next(f for f in FAMILIES if f.loads[0] == "mixer")
    m, other = machine(mixers, 0, seed=1), machine(mixers, 1, seed=1)
    blocks = range(0, 8 * BLOCK, BLOCK)
    assert len({tuple(record_case(m, k).load.pulses) for k in blocks}) == 1
    assert {conditions(m, k)[0] for k in blocks} == set(mixers.supplies)
    assert conditions(m, 0)[1] != conditions(other, 0)[1]


def test_design_and_final_families_have_no_machine_in_common() -> None:
    design, final = ({f.name for f in families(final=x)} for x in (False, True))
    assert design
    assert final
    assert not design & final
    assert not {f.name for f in FAMILIES} & set(PLANTS)
    for f in FAMILIES:
        assert set(f.supplies) <= set(SUPPLIES)
        assert set(f.loads) <= set(LOADS)


def test_families_span_poles_power_and_frequency() -> None:
    for final in (False, True):
        some = families(final=final)
        assert {f.supply_hz for f in some} == {50, 60}
        assert len({p for f in some for p in f.pole_pairs}) >= 3
    assert min(f.kw[0] for f in FAMILIES) <= 1.1
    assert max(f.kw[1] for f in FAMILIES) >= 315


def test_final_seeds_come_from_the_commit() -> None:
    one, other = (seeds.stage(final=True, commit=c * 40) for c in "ab")
    assert one.seed != other.seed
    assert one.seed != seeds.DESIGN_SEED
    assert "aaaaaaaaaaaa" in one.sentence
    assert np.random.default_rng(one.seed).uniform() != np.random.default_rng(other.seed).uniform()
    assert seeds.stage(final=False).seed == seeds.DESIGN_SEED


def test_records_of_a_block_differ_in_noise_only() -> None:
    m = machine(FAMILIES[0], 1, seed=1)
    first, second = (record_case(m, k) for k in (0, BLOCK - 1))
    assert first.seed != second.seed
    assert (first.supply, first.load) == (second.supply, second.load)
    assert record_case(m, BLOCK).load != first.load
