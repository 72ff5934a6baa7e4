"""Other packages and plain textbook rules on the same windows.

Each is called as its documentation shows, with its own defaults. Answers: `yes`, `no`, `refused`
(the package itself declares the data insufficient), or None where it is not installed; `yes?` and
`no?` where the package answers and calls the record unreliable.
"""

from functools import lru_cache
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy.signal import butter, hilbert, sosfiltfilt

from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import CURRENTS, Motor, Recording

PACKAGES = {
    "statorscope": "statorscope",
    "mcp-server-mcsa": "mcp_server_mcsa",
    "predictive-maintenance-mcp": "predictive_maintenance_mcp",
}
ROTOR = (
    "statorscope",
    "statorscope, slip given",
    "mcp-server-mcsa, speed given",
    "textbook -45 dB, nameplate slip",
    "textbook -45 dB, slip given",
)
TURNS = (
    "statorscope",
    "statorscope, nameplate slip given",
    "mcp-server-mcsa, nameplate speed given",
    "textbook |I2|/I1 > 5 %",
)
GAP = ("statorscope, slip given", "mcp-server-mcsa, speed given")
BEARING = (
    "predictive-maintenance-mcp",
    "predictive-maintenance-mcp, inner race first",
    "textbook envelope > 3x median",
)
# It sorts defects by a strength of four grades; of equals the first in its list wins. Its own
# catalogue has the first order.
OWN_ORDER = ("BPFO", "BPFI", "BSF", "FTF")
INNER_FIRST = ("BPFI", "BPFO", "BSF", "FTF")
TEXTBOOK_DBC = -45.0
TEXTBOOK_UNBALANCE = 0.05
TEXTBOOK_PEAK = 3.0


def versions() -> dict[str, str | None]:
    """Return the installed version of each package, None if it is not installed."""
    return {n: metadata.version(n) if find_spec(m) else None for n, m in PACKAGES.items()}


@lru_cache
def _module(name: str) -> Any:
    return import_module(name) if find_spec(name.partition(".")[0]) else None


def rotor(recording: Recording, motor: Motor, slip: float) -> dict[str, str | None]:
    """Return the answers on broken bars; `slip` is the true one, for packages that take it."""
    ia = np.asarray(recording.channels["ia"], np.float64)
    rated = motor.rated_slip or 0.03
    return {
        ROTOR[0]: statorscope(recording, motor, "broken_rotor_bar"),
        ROTOR[1]: statorscope(recording, motor, "broken_rotor_bar", slip),
        ROTOR[2]: _mcsa(recording, motor, slip, "brb_fault_index"),
        ROTOR[3]: _sideband(ia, recording.fs_hz, motor.supply_hz or 50.0, rated),
        ROTOR[4]: _sideband(ia, recording.fs_hz, motor.supply_hz or 50.0, slip),
    }


def turns(recording: Recording, motor: Motor) -> dict[str, str | None]:
    """Return the answers on turn shorts; a speed given is the nameplate's."""
    ratio = negative_sequence_ratio(recording, motor.supply_hz or 50.0)
    rated = motor.rated_slip or 0.03
    return {
        TURNS[0]: statorscope(recording, motor, "stator_interturn"),
        TURNS[1]: statorscope(recording, motor, "stator_interturn", rated),
        TURNS[2]: _mcsa(recording, motor, rated, "stator_fault_index"),
        TURNS[3]: "yes" if ratio > TEXTBOOK_UNBALANCE else "no",
    }


def gap(recording: Recording, motor: Motor, slip: float) -> dict[str, str | None]:
    """Return the answers on eccentricity at the true slip."""
    return {
        GAP[0]: statorscope(recording, motor, "eccentricity", slip),
        GAP[1]: _mcsa(recording, motor, slip, "eccentricity_fault_index"),
    }


def bearing(recording: Recording, motor: Motor) -> dict[str, str | None]:
    """Return the defect each names (`BPFO` ...), `no` or None if not installed."""
    if not (recording.speed_rpm and motor.bearing):
        return dict.fromkeys(BEARING, "refused")
    # A ball strikes both races in one turn: twice its spin.
    orders = {n: o * (2 if n == "BSF" else 1) for n, o in motor.bearing.defect_orders.items()}
    hz = {n: o * recording.speed_rpm / 60 for n, o in orders.items()}
    x = np.asarray(recording.channels["vibration"], np.float64)
    return {
        BEARING[0]: _predictive(x, recording, {n: hz[n] for n in OWN_ORDER}),
        BEARING[1]: _predictive(x, recording, {n: hz[n] for n in INNER_FIRST}),
        BEARING[2]: _envelope(x, recording.fs_hz, hz),
    }


def statorscope(
    recording: Recording, motor: Motor, kind: str, slip: float | None = None
) -> str | None:
    """Return the answer of statorscope on one fault."""
    package = _module("statorscope")
    if package is None:
        return None
    theirs = package.Recording(
        current=np.stack([recording.channels[c] for c in CURRENTS], axis=1).astype(np.float64),
        fs=recording.fs_hz,
    )
    plate = package.Motor(
        pole_pairs=motor.pole_pairs or 2,
        rotor_bars=motor.rotor_bars,
        line_hz=motor.supply_hz or 50.0,
        rated_rpm=motor.rated_speed_rpm,
    )
    try:
        report = package.diagnose(theirs, plate, slip=slip)
    except ValueError:
        return "refused"
    result = next((f for f in report.faults if f.kind == kind), report.faults[0])
    if not report.slip.confident:
        return "refused"
    doubt = "?" if str(report.trust) == "unreliable" else ""
    return ("yes" if result.detected else "no") + doubt


def _mcsa(recording: Recording, motor: Motor, slip: float, index: str) -> str | None:
    faults = _module("mcp_server_mcsa.analysis.fault_detection")
    if faults is None:
        return None
    spectral = _module("mcp_server_mcsa.analysis.spectral")
    prepared = _module("mcp_server_mcsa.analysis.preprocessing").preprocess_pipeline(
        np.asarray(recording.channels["ia"], np.float64), recording.fs_hz, window="hann"
    )
    freqs, amps = spectral.compute_fft_spectrum(prepared, recording.fs_hz, sided="one")
    hz, pairs = motor.supply_hz or 50.0, motor.pole_pairs or 2
    params = _module("mcp_server_mcsa.analysis.motor").calculate_motor_parameters(
        hz, 2 * pairs, 60 * hz / pairs * (1 - slip)
    )
    more = {"signal_duration_s": recording.duration_s} if index == "brb_fault_index" else {}
    found = getattr(faults, index)(freqs, amps, params, **more)
    why = found.get("detection_status", {}).get("reason", "")
    if why in ("sideband_inside_supply_main_lobe", "frequency_resolution_insufficient"):
        return "refused"
    return "no" if found["severity"] == "healthy" else "yes"


def _sideband(x: Float64, fs_hz: float, f0_hz: float, slip: float) -> str:
    """Say whether the lower sideband is above -45 dB within 20 % of the slip (Culbert & Letal)."""
    size = np.abs(np.fft.rfft((x - x.mean()) * np.hanning(len(x))))
    hz = np.fft.rfftfreq(len(x), 1 / fs_hz)
    carrier = size[np.abs(hz - f0_hz) < 1].max()
    offset = f0_hz - hz
    inside = (offset > 1.6 * slip * f0_hz) & (offset < 2.4 * slip * f0_hz)
    if not inside.any():
        return "refused"
    return "yes" if 20 * np.log10(size[inside].max() / carrier) > TEXTBOOK_DBC else "no"


def negative_sequence_ratio(recording: Recording, f0_hz: float) -> float:
    """Return |I2|/|I1| over a whole record, either phase order."""
    x = np.stack([np.asarray(recording.channels[c], np.float64) for c in CURRENTS])
    n = x.shape[1]
    t = np.arange(n) / recording.fs_hz
    a, b, c = (x * np.hanning(n)) @ np.exp(-2j * np.pi * f0_hz * t)
    turn = np.exp(2j * np.pi / 3)
    one, two = abs(a + turn * b + turn**2 * c), abs(a + turn**2 * b + turn * c)
    return float(min(one, two) / max(one, two))


def _predictive(x: Float64, recording: Recording, hz: dict[str, float]) -> str | None:
    package = _module("predictive_maintenance_mcp.diagnostics.bearing_analyzer")
    if package is None:
        return None
    found = package.check_frequency_set(x, recording.fs_hz, hz, recording.speed_rpm)
    return str(found["most_likely_fault"] or "no")


def envelope_spectrum(x: Float64, fs_hz: float) -> tuple[Float64, Float64]:
    """Return frequencies and amplitudes of the envelope above 2 kHz."""
    band = butter(4, [2_000.0, min(5_000.0, 0.45 * fs_hz)], "bandpass", fs=fs_hz, output="sos")
    envelope = np.abs(hilbert(sosfiltfilt(band, x)))
    envelope -= envelope.mean()
    size = np.abs(np.fft.rfft(envelope * np.hanning(len(x)))) * 4 / len(x)
    hz = np.fft.rfftfreq(len(x), 1 / fs_hz)
    return np.asarray(hz, np.float64), np.asarray(size, np.float64)


def _envelope(x: Float64, fs_hz: float, hz: dict[str, float]) -> str:
    f, size = envelope_spectrum(x, fs_hz)
    peaks = {}
    for name, line in hz.items():
        at, around = np.abs(f - line) < max(0.01 * line, f[1]), np.abs(f - line) < 0.3 * line
        peaks[name] = size[at].max() / np.median(size[around])
    best = max(peaks, key=lambda n: peaks[n])
    return best if peaks[best] > TEXTBOOK_PEAK else "no"
