"""The spectrum of one recording, of the kind and the channel asked for."""

from collections.abc import Collection
from dataclasses import replace
from math import isfinite

from vtox.motor.diagnosis.diagnosers import registry
from vtox.motor.diagnosis.diagnosers.shared_analysis import load_a
from vtox.motor.diagnosis.spectra.current import channel_spectrum, demodulated_spectrum
from vtox.motor.diagnosis.spectra.vibration import envelope_spectrum_of, vibration_spectrum
from vtox.motor.errors import SpectrumError
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, VIBRATIONS, Motor, Reason, Recording
from vtox.motor.values.spectra import Spectrum, SpectrumKind

# The channels of which a spectrum can be; that of the modulation is of all currents together.
CHANNELS: dict[SpectrumKind, tuple[str, ...]] = {
    "current": CURRENTS,
    "demodulated": CURRENTS,
    "envelope": VIBRATIONS,
    "vibration": VIBRATIONS,
}


def spectrum(
    recording: Recording,
    motor: Motor | None,
    baseline: Baseline | None,
    *,
    kind: SpectrumKind,
    channel: str | None,
    faults: Collection[str],
) -> Spectrum:
    """Return the spectrum of a recording with the lines that the diagnoses of `faults` examine.

    Parameters
    ----------
    recording : Recording
    motor : Motor or None
    baseline : Baseline or None
    kind : SpectrumKind
    channel : str or None
        None: the first that fits; of the envelope, the one that shows most. The modulation has
        none itself.
    faults : collection of str
        Faults of the record's family, so that slip and speed are those of its diagnoses.

    Raises
    ------
    SpectrumError
        There is no such channel, or the recording has no such spectrum.
    """
    names = [c for c in CHANNELS[kind] if c in recording.channels]
    _check_channel(kind, channel, names)
    shared = registry.analyse([recording], [motor], faults)
    found: Spectrum | Reason
    if kind == "current":
        found = channel_spectrum(shared, channel or names[0], faults, baseline)
    elif kind == "demodulated":
        found = demodulated_spectrum(shared, faults, baseline)
    elif kind == "envelope":
        found = envelope_spectrum_of(shared, channel)
    else:
        found = vibration_spectrum(shared, channel or names[0])
    if isinstance(found, Reason):
        raise SpectrumError("no_spectrum", found.sentence, "")
    load = float(load_a(shared)[0])
    return replace(found, load_a=load if isfinite(load) else None)


def _check_channel(kind: SpectrumKind, channel: str | None, names: list[str]) -> None:
    if not names:
        needed = ", ".join(CHANNELS[kind])
        raise SpectrumError(
            "channel_not_recorded", f"the record has none of {needed}: no spectrum {kind!r}", "kind"
        )
    if channel is None:
        return
    if kind == "demodulated":
        raise SpectrumError(
            "channel_not_recorded", "the modulation is of all currents together", "channel"
        )
    if channel not in names:
        expected = ", ".join(names)
        raise SpectrumError(
            "channel_not_recorded",
            f"{channel[:40]!r} has no spectrum {kind!r} in this record, expected {expected}",
            "channel",
        )
