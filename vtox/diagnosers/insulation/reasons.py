"""What follows from conductance and capacitance to earth: rules, the first that applies decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vtox.domain import Reason, State, reason

# Least resistance to earth at 40 C of random-wound machines below 1 kV (IEEE 43-2013): `warning`.
MINIMUM_OHM = 5e6
# A fifth of it is what one phase of a wet or burnt winding shows: `fault`.
FAULT_OHM = 1e6
# Resistances above this are reported as this.
LARGEST_OHM = 1e8


@dataclass(frozen=True, slots=True)
class Insulation:
    """One winding to earth, corrected to 40 C.

    Its conductance lies for certain between `least_s` and `most_s`. `change_f` is the change of
    capacitance since the baseline, None without one, and counts beyond `bound_f`. `phase` is the
    one that leaks most or changed most: `phase_leaks` and `phase_changed` say whether it is the
    better evidence. `whole` says whether equal loss in all phases would show.
    """

    conductance_s: float
    least_s: float
    most_s: float
    capacitance_f: float
    change_f: float | None
    bound_f: float
    phase: str
    phase_leaks: bool
    phase_changed: bool
    whole: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """State and reason; `phase` where it is one, `by_capacitance` where that decided.

    `quiet` says that nothing was found where it could be looked: not `normal`, but a leak that was
    mended must not stay an alert.
    """

    state: State
    reason: Reason
    phase: str = ""
    by_capacitance: bool = False
    quiet: bool = False


def decide(x: Insulation) -> Finding:
    """Return what follows for a winding."""
    return next(finding for rule in RULES if (finding := rule(x)))


def _severe_leak(x: Insulation) -> Finding | None:
    return _leak_below(FAULT_OHM, "fault", x)


def _leak(x: Insulation) -> Finding | None:
    return _leak_below(MINIMUM_OHM, "warning", x)


def _leak_below(limit_ohm: float, state: State, x: Insulation) -> Finding | None:
    if x.least_s <= 1 / limit_ohm:
        return None
    values = {"resistance_megohm": _megohm(x.conductance_s), "limit_megohm": limit_ohm / 1e6}
    if not x.phase_leaks:
        return Finding(state, Reason("winding_leaks", values))
    return Finding(state, Reason("phase_leaks", values | {"phase": x.phase}), x.phase)


def _capacitance_changed(x: Insulation) -> Finding | None:
    if x.change_f is None or abs(x.change_f) <= x.bound_f:
        return None
    values = {
        "capacitance_nanofarad": x.capacitance_f * 1e9,
        "change_nanofarad": x.change_f * 1e9,
    }
    phase = x.phase if x.phase_changed else ""
    why = (
        Reason("phase_capacitance_changed", values | {"phase": phase})
        if phase
        else Reason("winding_capacitance_changed", values)
    )
    return Finding("warning", why, phase, by_capacitance=True)


def _too_noisy(x: Insulation) -> Finding | None:
    if x.most_s <= 1 / FAULT_OHM:
        return None
    values = {"possible_megohm": 1e-6 / x.most_s, "needed_megohm": FAULT_OHM / 1e6}
    return Finding("unknown", Reason("leakage_too_noisy", values))


def _no_phase_leaks(x: Insulation) -> Finding | None:
    if x.whole:  # else a winding wet all over would not show
        return None
    why = reason("no_phase_leaks", possible_microsiemens=x.most_s * 1e6)
    return Finding("unknown", why, quiet=True)


def _sound(x: Insulation) -> Finding | None:
    why = reason(
        "insulation_sound",
        resistance_megohm=_megohm(x.conductance_s),
        capacitance_nanofarad=x.capacitance_f * 1e9,
    )
    return Finding("normal", why)


def _megohm(conductance_s: float) -> float:
    return 1e-6 / max(conductance_s, 1 / LARGEST_OHM)


# The last always applies.
RULES: Sequence[Callable[[Insulation], Finding | None]] = (
    _severe_leak,
    _leak,
    _capacitance_changed,
    _too_noisy,
    _no_phase_leaks,
    _sound,
)
