"""Findings on wiring and nameplate from one recording, and their corrections. Pure.

The checks that the diagnoses make before they decide are read from their front end; here they are
separated by channel. If currents and voltages contradict each other, the voltages count as right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import degrees

import numpy as np

from vtox.motor.diagnosis.commissioning.phase_channels import (
    UNBALANCE,
    PhaseChannels,
    connection_problem,
    factor_problems,
    phase_channels,
    unbalances,
)
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosers.current.phase_pairing import MOTORING_LAG_DEG, ROTATED_LAG_DEG
from vtox.motor.diagnosis.diagnosers.current.plausibility import MAX_LINE_UNBALANCE
from vtox.motor.diagnosis.diagnosers.current.pole_pairs import LARGEST_SLIP, rated_hz, rated_slip
from vtox.motor.diagnosis.diagnosers.current.terminal_voltages import (
    are_line_voltages,
    phase_weights,
    voltage_channels,
)
from vtox.motor.diagnosis.dsp import supply_line, symmetrical_components
from vtox.motor.values.arrays import Complex
from vtox.motor.values.channel_map import Source
from vtox.motor.values.domain import CURRENTS, Motor, Reason, Recording, reason

# Codes of the front end that are about wiring, ratio or nameplate; its others say that the samples
# cannot be used at all.
OF_INSTALLATION = frozenset(
    {
        "supply_not_found",
        "supply_off_nameplate",
        "channel_scale_differs",
        "current_far_above_rated",
        "current_far_below_rated",
        "line_voltages_do_not_sum_to_zero",
        "voltage_off_nameplate",
        "voltages_between_lines",
        "voltages_of_no_supply",
        "voltages_not_paired",
        "voltages_not_paired_or_generating",
    }
)
# A finding on one channel is more exact.
LESS_EXACT = frozenset(
    {"channel_scale_differs", "line_voltages_do_not_sum_to_zero", "voltages_of_no_supply"}
)
# Mean of V1 conj(I1) over its size. A motor that goes from no load to full load halfway through the
# record turns the current by some 50 degrees, which leaves 0.91. A supply of another frequency that
# turns by a third of a cycle leaves 0.83.
MIN_COHERENCE = 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class Commissioning:
    """Findings, checks made, and the channel map that would correct the wiring.

    `unusable` says why nothing could be checked, or nothing with the voltages. `proposal` is empty
    if the channels are right, None if no map corrects a mistake.
    """

    findings: tuple[Reason, ...] = ()
    checked: tuple[str, ...] = ()
    unusable: tuple[Reason, ...] = ()
    proposal: Mapping[str, Source] | None = None


def commissioning(recording: Recording, motor: Motor | None) -> Commissioning:
    """Return the findings on wiring and nameplate from a recording of the running machine."""
    plate = motor or Motor()
    analysis = front_end([recording], [plate], frames=True, slot_band=False)
    found = list(_pole_pair_findings(recording, plate, float(analysis.f0_hz[0])))
    checked = ["pole_pairs"] if _pole_pairs_checked(recording, plate) else []
    unusable = [r for r in analysis.problems[0] if r.code not in OF_INSTALLATION]
    if unusable or not np.isfinite(analysis.f0_hz[0]):
        return Commissioning(
            findings=tuple(found), checked=tuple(checked), unusable=tuple(analysis.problems[0])
        )
    found += analysis.problems[0]
    if any(r.code == "supply_not_found" for r in found):
        return Commissioning(findings=tuple(found), checked=tuple(checked))
    checked += ["supply_hz"] * bool(plate.supply_hz and plate.supply == "grid")
    checked += ["rated_current"] * bool(plate.rated_current_a)
    currents = _channels_of(analysis, CURRENTS, recording)
    names = voltage_channels(recording.channels)
    lines = are_line_voltages(names)
    voltages = _channels_of(analysis, names, recording) if lines or len(names) == 3 else None
    if currents is None:
        return Commissioning(findings=tuple(found), checked=tuple(checked), proposal={})
    i = phase_channels(CURRENTS, currents, earthed=False)
    v = PhaseChannels()
    checked.append("currents")
    unusable = [r for r in analysis.voltage_problems[0] if r.code not in OF_INSTALLATION]
    if voltages is not None and not unusable:
        if len(names) == 3:
            v = phase_channels(names, voltages, earthed=not lines)
        else:
            v = _two_lines(names, voltages, currents * np.array(i.factors or 1.0))
        checked.append("voltages")
        found += analysis.voltage_problems[0]
    if i.problems or v.problems:
        found = [r for r in found if r.code not in LESS_EXACT]
    of_currents, sources = list(i.problems), _own_sources(i)
    if i.factors and v.factors and "voltages" in checked and voltages is not None:
        checked.append("pairing")
        corrected = voltages * np.array(v.factors)
        y = phase_weights(names) @ corrected if lines else corrected
        of_currents, sources = _pairing(analysis, currents, y, i)
    if sources is not None and v.factors:
        named = zip(names, v.factors, strict=False)
        sources |= {name: _source(name, factor) for name, factor in named if factor != 1}
    return Commissioning(
        findings=(*found, *of_currents, *v.problems),
        checked=tuple(checked),
        unusable=tuple(unusable),
        proposal=sources if v.factors else None,
    )


def _two_lines(names: tuple[str, ...], voltages: Complex, x: Complex) -> PhaseChannels:
    """Return the mistakes in two voltages between lines.

    If either of them is reversed, the phases follow each other. The phases of one are opposite to
    those of the other, and the currents `x` are a motor's behind one of them at most.
    """
    if problem := connection_problem(names, voltages):
        return PhaseChannels((problem,), None)
    weights = phase_weights(names)
    unbalance = unbalances(weights @ voltages)[0]
    if unbalance <= MAX_LINE_UNBALANCE:
        return PhaseChannels(factors=(1.0, 1.0))
    for channel, factors in zip(names, ((-1.0, 1.0), (1.0, -1.0)), strict=True):
        y = weights @ (voltages * np.array(factors))
        if unbalances(y)[0] <= UNBALANCE and _lag_deg(x, y, MOTORING_LAG_DEG) is not None:
            return PhaseChannels((reason("channel_reversed", channel=channel),), factors)
    return PhaseChannels((reason("voltages_of_no_supply", unbalance_ratio=unbalance),), None)


def _own_sources(i: PhaseChannels) -> dict[str, Source] | None:
    return _sources((0, 1, 2), i.factors) if i.factors else None


def _pole_pairs_checked(recording: Recording, motor: Motor) -> bool:
    return bool(motor.pole_pairs and (motor.rated_speed_rpm or recording.speed_rpm))


def _pole_pair_findings(recording: Recording, motor: Motor, f0_hz: float) -> tuple[Reason, ...]:
    pairs, speed_rpm = motor.pole_pairs, recording.speed_rpm
    supply_hz = rated_hz(motor, f0_hz)
    if not pairs:
        return ()
    if motor.rated_speed_rpm and supply_hz and rated_slip(motor, pairs, f0_hz) is None:
        values = {"rated_speed_rpm": motor.rated_speed_rpm, "supply_hz": supply_hz}
        return (reason("pole_pairs_off_rated_speed", pole_pairs=pairs, **values),)
    if not speed_rpm or not np.isfinite(f0_hz):
        return ()
    if abs(1 - speed_rpm * pairs / 60 / f0_hz) > LARGEST_SLIP:
        return (reason("speed_implausible", speed_rpm=speed_rpm, f0_hz=f0_hz, pole_pairs=pairs),)
    return ()


def _channels_of(
    analysis: CurrentAnalysis, names: tuple[str, ...], recording: Recording
) -> Complex | None:
    """Return the mean phasors of channels, against the largest current; None without them."""
    if any(n not in recording.channels for n in (*names, *CURRENTS)):
        return None
    wanted = (*names, *CURRENTS)
    x = np.stack([recording.channels[n] for n in wanted]).astype(np.float32)[None]
    _, frames = supply_line.frame_phasors(x, recording.fs_hz, analysis.f0_hz)
    if not frames.shape[-1]:
        return None
    of_currents = frames[0, len(names) :]
    reference = of_currents[int(np.argmax(np.abs(of_currents).mean(axis=-1)))]
    turned = frames[0] * np.exp(-1j * np.angle(reference))
    return np.asarray(turned[: len(names)].mean(axis=-1), np.complex128)


def _source(channel: str, factor: float) -> Source:
    return Source(channel, -1 if factor < 0 else 1, float(f"{abs(factor):.4g}"))


def _pairing(
    analysis: CurrentAnalysis,
    currents: Complex,
    y: Complex,
    i: PhaseChannels,
) -> tuple[list[Reason], dict[str, Source] | None]:
    """Return whether currents and voltages `y` are of the same phases; the currents' sources."""
    assert i.factors is not None
    between = analysis.pairing_problems[0]
    if (coherence := _coherence(analysis)) < MIN_COHERENCE:
        problem = reason("voltages_of_another_supply", coherence_ratio=coherence)
        return [*i.problems, problem], None
    if between and between.code == "voltages_between_lines":
        return [*i.problems, between], {}
    x = currents * np.array(i.factors)
    if _lag_deg(x, y, MOTORING_LAG_DEG) is not None:
        return list(i.problems), _sources((0, 1, 2), i.factors)
    fits = [
        (p, sign)
        for sign in (1, -1)
        for p in permutations(range(3))
        if _lag_deg(sign * x[list(p)], y, ROTATED_LAG_DEG) is not None
    ]
    if len(fits) == 1:
        ((p, sign),) = fits
        sources = _sources(p, tuple(sign * i.factors[k] for k in p))
        return _described(p, sources), sources
    if _order(x) != _order(y):
        return [*i.problems, reason("phase_orders_differ")], None
    angle = {"power_factor_angle_deg": _angle_deg(x, y)}
    return [*i.problems, between or reason("voltages_not_paired", **angle)], None


def _sources(p: Sequence[int], factors: Sequence[float]) -> dict[str, Source]:
    """Return current -> its source, of each one that changes; `factors` are of the results."""
    sources = {CURRENTS[k]: _source(CURRENTS[p[k]], factors[k]) for k in range(3)}
    return {n: s for n, s in sources.items() if s != Source(n)}


def _described(p: Sequence[int], sources: Mapping[str, Source]) -> list[Reason]:
    """Return the mistakes that a permutation and the factors of the currents correct."""
    problems: list[Reason] = []
    moved = tuple(CURRENTS[k] for k in range(3) if p[k] != k)
    if len(moved) == 2:
        problems.append(reason("channels_swapped", channels=moved))
    elif moved:
        problems.append(reason("channels_turned", channels=tuple(CURRENTS[k] for k in p)))
    for source in sources.values():
        problems += factor_problems(source.channel, source.factor)
    return problems


def _order(x: Complex) -> int:
    """Return 1 if a, b and c follow each other, -1 if a, c and b do."""
    _, one, two = np.abs(symmetrical_components.components(x[None]))[0]
    return 1 if one >= two else -1


def _angle_deg(x: Complex, y: Complex) -> float:
    """Return the angle of the currents' rotating sequence behind that of the voltages, degrees."""
    sequences = symmetrical_components.components(np.stack([x, y]))
    k = 1 if _order(y) == 1 else 2
    return float(degrees(np.angle(sequences[1, k] * sequences[0, k].conj())))


def _lag_deg(x: Complex, y: Complex, limits: tuple[float, float]) -> float | None:
    """Return the lag of currents in the order of the voltages, None if it is no motor's."""
    if _order(x) != _order(y):
        return None
    lag = _angle_deg(x, y)
    return lag if limits[0] <= lag <= limits[1] else None


def _coherence(analysis: CurrentAnalysis) -> float:
    """Return the constancy of the angle between V1 and I1 over the frames, 0 to 1."""
    i1, v1 = analysis.sequence_i[0, 1], analysis.sequence_v[0, 1]
    power = v1 * i1.conj()
    return float(abs(power.mean()) / max(np.abs(power).mean(), np.finfo(float).tiny))
