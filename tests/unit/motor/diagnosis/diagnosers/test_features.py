"""The features of baselines have one list, the features that the diagnosers give."""

from tests.signals.phasor_motor import MOTOR, Machine, recording
from vtox.motor.diagnosis.diagnosers import features, registry
from vtox.motor.diagnosis.diagnosers.broken_bar.evidence import DEVELOPING_DBC
from vtox.motor.diagnosis.diagnosers.features import FEATURES, feature
from vtox.motor.faults import FAULTS
from vtox.motor.values.baseline import RISE_DB


def test_the_diagnosers_give_the_features_listed() -> None:
    shared = registry.analyse([recording(Machine())], [MOTOR], list(FAULTS))
    values = registry.features(shared, list(FAULTS))
    assert set(values) == set(FEATURES)
    assert {x.shape for x in values.values()} == {(1,)}
    assert {name.split(".")[0] for name in FEATURES} == {
        fault for fault, row in registry.DIAGNOSERS.items() if row.features
    }


def test_slip_sidebands_are_harmless_where_a_fault_would_have_risen_above() -> None:
    limit_dbc = FEATURES[features.SLIP_SIDEBANDS].harmless_below_dbc
    assert limit_dbc == DEVELOPING_DBC - RISE_DB


def test_the_unit_tells_what_a_feature_is() -> None:
    assert [n for n, f in FEATURES.items() if f.is_frequency] == [features.SUPPLY]
    assert not FEATURES[features.CAPACITANCE].depends_on_load
    assert not FEATURES[features.CAPACITANCE].is_level
    assert feature("bearing.older_dbc").is_level
    assert not feature("insulation.older_f").depends_on_load
