"""What follows from conductance and capacitance: the first rule that applies decides."""

from dataclasses import replace

import pytest

from vtox.diagnosers.insulation.reasons import Insulation, decide

# 20 Mohm or more, the whole winding measured, no change of 15 nF.
SOUND = Insulation(
    conductance_s=4e-8,
    least_s=2e-8,
    most_s=5e-8,
    capacitance_f=15e-9,
    change_f=0.0,
    bound_f=1e-9,
    phase="b",
    phase_leaks=False,
    phase_changed=False,
    whole=True,
)


@pytest.mark.parametrize(
    ("change", "state", "code", "phase"),
    [
        ({}, "normal", "insulation_sound", ""),
        ({"least_s": 2.1e-7}, "warning", "winding_leaks", ""),
        ({"least_s": 1.1e-6}, "fault", "winding_leaks", ""),
        ({"least_s": 1.1e-6, "phase_leaks": True}, "fault", "phase_leaks", "b"),
        ({"change_f": -1.1e-9}, "warning", "winding_capacitance_changed", ""),
        (
            {"change_f": 1.1e-9, "phase_changed": True},
            "warning",
            "phase_capacitance_changed",
            "b",
        ),
        ({"change_f": 1.1e-9, "least_s": 1.1e-6}, "fault", "winding_leaks", ""),
        ({"change_f": None}, "normal", "insulation_sound", ""),
        ({"most_s": 1.1e-6}, "unknown", "leakage_too_noisy", ""),
        ({"most_s": 1.1e-6, "change_f": 1.1e-9}, "warning", "winding_capacitance_changed", ""),
        ({"whole": False}, "unknown", "no_phase_leaks", ""),
    ],
)
def test_the_first_rule_that_applies_decides(
    change: dict[str, object], state: str, code: str, phase: str
) -> None:
    finding = decide(replace(SOUND, **change))  # type: ignore[arg-type]
    assert (finding.state, finding.reason.code, finding.phase) == (state, code, phase)
    assert finding.by_capacitance == code.endswith("capacitance_changed")


def test_values_have_the_unit_of_their_suffix() -> None:
    assert decide(SOUND).reason.values == {"resistance_megohm": 25, "capacitance_nanofarad": 15}
    noisy = decide(replace(SOUND, most_s=2e-6)).reason.values
    assert noisy == {"possible_megohm": 0.5, "needed_megohm": 1}
    quiet = decide(replace(SOUND, whole=False)).reason.values
    assert quiet == {"possible_microsiemens": pytest.approx(0.05)}


def test_resistances_above_100_megohm_are_reported_as_100() -> None:
    sound = decide(replace(SOUND, conductance_s=1e-12))
    assert sound.reason.values["resistance_megohm"] == 100
