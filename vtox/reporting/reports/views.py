"""Spectra, waveforms and phasors that a record shows, and the part shown of each. Pure.

The part that shows a diagnosis is the one that the machine's page links to.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vtox.motor.faults import FAMILIES, VIEWS
from vtox.motor.values.domain import CURRENTS, LINE_VOLTAGES, VIBRATIONS, VOLTAGES
from vtox.motor.values.spectra import SpectrumKind

# Room next to the outermost line that is shown, as a factor of its distance.
ROOM = 1.6
# A comb is known by its first lines.
COMB_LINES = 3.4
# In a current: the supply line and its first harmonics, as a multiple of the supply frequency.
HARMONICS = 10.5
# Channels that a family shows, by one name.
CHANNELS = {"currents": CURRENTS, "voltages": (*VOLTAGES, *LINE_VOLTAGES), "vibrations": VIBRATIONS}
# Length of a waveform: some periods of the supply, and some turns of the shaft.
CURRENT_S, VIBRATION_S = 0.1, 0.5


def hidden_parts(family: str, families: Collection[str]) -> frozenset[str]:
    """Return the channels, phasors and current spectrum that records of other families show."""
    others = [FAMILIES[f] for f in families if f != family and f in FAMILIES]
    shown = [part for other in others for part in other.shows]
    return frozenset(name for part in shown for name in CHANNELS.get(part, (part,)))


@dataclass(frozen=True, slots=True)
class SpectrumView:
    """A part of a spectrum; `fault` is the diagnosis that reads it, empty for the overview.

    Without `high_hz` it ends where the spectrum does, or at `harmonics` of the supply.
    """

    kind: SpectrumKind
    fault: str = ""
    low_hz: float = 0.0
    high_hz: float | None = None
    harmonics: float | None = None


def spectrum_views(
    verdicts: list[dict[str, Any]], channels: Mapping[str, object], hidden: Collection[str]
) -> Iterator[SpectrumView]:
    """Yield the spectra of a record: the ones read by its diagnoses first, then the others."""
    has_current = any(c in channels for c in CURRENTS)
    has_vibration = any(c in channels for c in VIBRATIONS)
    for v in verdicts:
        fault = str(v["fault"])
        kind = VIEWS[fault].kind if fault in VIEWS else ""
        if kind == "demodulated" and has_current:
            if (span := _around_supply(v["evidence"])) is not None:
                yield SpectrumView("demodulated", fault, *span)
        if kind == "envelope" and has_vibration:
            yield SpectrumView("envelope", fault, 0.0, _comb_end_hz(v["evidence"]))
    if has_current and "current" not in hidden:
        yield SpectrumView("current", harmonics=HARMONICS)
    if has_vibration and VIBRATIONS[0] not in hidden:
        yield SpectrumView("vibration")


def waveform_groups(
    channels: Mapping[str, object], hidden: Collection[str]
) -> Iterator[tuple[list[str], float]]:
    """Yield the channels that are drawn together, and how much of them, s."""
    for names, seconds in (
        (CURRENTS, CURRENT_S),
        ((*VOLTAGES, *LINE_VOLTAGES), CURRENT_S),
        (VIBRATIONS, VIBRATION_S),
        (("leakage",), CURRENT_S),
    ):
        if recorded := [n for n in names if n in channels and n not in hidden]:
            yield recorded, seconds


def _around_supply(evidence: list[dict[str, Any]]) -> tuple[float, float] | None:
    """Return the range (Hz) that shows the sidebands of a diagnosis, None if it read none."""
    line, searched = _row(evidence, "line"), _row(evidence, "searched")
    if searched is None:
        if line is None:
            return None
        room = (ROOM - 1) * (line["upper_hz"] - line["lower_hz"]) / 2
        return max(0.0, line["lower_hz"] - room), line["upper_hz"] + room
    supply_hz = searched["from_supply_hz"]
    reach = ROOM * max(searched["high_hz"], supply_hz - line["lower_hz"] if line else 0.0, 1.0)
    return max(0.0, supply_hz - reach), supply_hz + reach


def _comb_end_hz(evidence: list[dict[str, Any]]) -> float | None:
    expected = [e["expected_hz"] for e in evidence if e.get("defect") and e.get("expected_hz")]
    return COMB_LINES * float(expected[0]) if expected else None


def _row(evidence: list[dict[str, Any]], kind: str) -> dict[str, Any] | None:
    return next((e for e in evidence if e.get("kind") == kind), None)
