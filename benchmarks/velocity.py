"""Is the overall velocity that of an independent implementation, on real recordings?

    python -m benchmarks.velocity FOLDER [--seconds 2]

FOLDER has .npz files of accelerations (`de_g` in g, `fs_hz`), as the set `cwru`. The other
implementation works in time: two long filters without phase, the spline through their output
integrated exactly, and what the filters reach over the ends of the recording cut off. VTOX gets the
same seconds.

Other columns give reasons: the difference where both weigh the ends alike, that of Hann windows of
2 s (as VTOX did before) from the other as it is, and with their weights in it, and that of a
Butterworth band-pass with the trapezoid rule. The last columns say how much of the energy of the
velocity lies near the ends of the band.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.constants import g
from scipy.integrate import cumulative_trapezoid
from scipy.interpolate import CubicSpline
from scipy.signal import butter, fftconvolve, firwin, kaiserord, sosfiltfilt, welch
from scipy.signal.windows import hann, tukey

from vtox.motor.diagnosis.dsp.velocity import HIGH_HZ, LOW_HZ, vibration_velocity
from vtox.motor.values.domain import Array

# Widths of the slopes at the ends of the band, and how much the filters hold back.
LOW_SLOPE_HZ, HIGH_SLOPE_HZ, STOP_DB = 1.0, 20.0, 80.0
SHARES_HZ = ((2.0, 8.0), (8.0, 10.0), (10.0, 12.0), (900.0, 1000.0))


def integrated(x: Array, fs_hz: float) -> tuple[Array, int]:
    """Return the velocity of an acceleration within the band, and what was cut from each end.

    m/s of each sample in m/s^2; both ends need what the filters reach, 2.6 s at a slope of 1 Hz.
    """
    high = _filter(HIGH_HZ, HIGH_SLOPE_HZ, fs_hz, low_pass=True)
    low = _filter(LOW_HZ, LOW_SLOPE_HZ, fs_hz, low_pass=False)
    inner = fftconvolve(fftconvolve(x - np.mean(x), low, "valid"), high, "valid")
    t = np.arange(len(inner)) / fs_hz
    v = CubicSpline(t, inner).antiderivative()(t)
    return v - np.polyval(np.polyfit(t, v, 1), t), (len(high) + len(low) - 2) // 2


def _filter(end_hz: float, slope_hz: float, fs_hz: float, *, low_pass: bool) -> Array:
    taps, beta = kaiserord(STOP_DB, slope_hz / (fs_hz / 2))
    return np.asarray(
        firwin(taps | 1, end_hz, window=("kaiser", beta), fs=fs_hz, pass_zero=low_pass)
    )


def rms_mm_s(v: Array, weights: Array | None = None) -> float:
    """Return the root of the mean square of a velocity in m/s, in mm/s."""
    return 1000 * float(np.sqrt(np.average(v**2, weights=weights)))


def by_hann_windows(x: Array, fs_hz: float) -> float:
    """Return the velocity by Welch's method with Hann windows of 2 s, half of them shared."""
    n = min(len(x), int(2 * fs_hz))
    f, power = welch(x, fs_hz, "hann", n, n // 2)
    band = (f >= LOW_HZ) & (f <= HIGH_HZ)
    return 1000 * float(np.sqrt(np.sum(power[band] / (2 * np.pi * f[band]) ** 2) * fs_hz / n))


def hann_weights(samples: int, fs_hz: float) -> Array:
    """Return how much each sample counts in `by_hann_windows`."""
    n = min(samples, int(2 * fs_hz))
    weights = np.zeros(samples)
    for k in range(0, samples - n + 1, n - n // 2):
        weights[k : k + n] += hann(n, sym=False) ** 2
    return weights


def by_butterworth(x: Array, fs_hz: float) -> float:
    """Return the velocity by a Butterworth band-pass and the trapezoid rule, an eighth cut off."""
    sos = butter(8, [LOW_HZ, HIGH_HZ], "bandpass", fs=fs_hz, output="sos")
    v = cumulative_trapezoid(sosfiltfilt(sos, x), dx=1 / fs_hz, initial=0)
    v = sosfiltfilt(butter(4, LOW_HZ, "highpass", fs=fs_hz, output="sos"), v - np.mean(v))
    return rms_mm_s(v[len(x) // 8 : -len(x) // 8])


def shares(x: Array, fs_hz: float) -> list[float]:
    """Return the energy of the velocity in `SHARES_HZ`, over that within the band."""
    n = min(len(x), int(4 * fs_hz))
    f, power = welch(x, fs_hz, "hann", n, n // 2)
    energy = power[1:] / f[1:] ** 2
    within = energy[(f[1:] >= LOW_HZ) & (f[1:] < HIGH_HZ)].sum()
    return [float(energy[(f[1:] >= a) & (f[1:] < b)].sum() / within) for a, b in SHARES_HZ]


def rows(path: Path, seconds: float) -> Iterator[list[float]]:
    """Yield velocity, five differences (per cent) and shares of each piece of a recording."""
    with np.load(path) as file:
        fs_hz, x = float(file["fs_hz"]), file["de_g"].astype(float) * g
    v, cut = integrated(x, fs_hz)
    x = x[cut : cut + len(v)]
    n = min(len(v), int(seconds * fs_hz)) if seconds else len(v)
    for k in range(0, len(v) - n + 1, n):
        piece, of_piece = x[k : k + n], v[k : k + n]
        expected = rms_mm_s(of_piece)
        found = vibration_velocity(piece, fs_hz)
        assert isinstance(found, float)
        ends = tukey(n, 2 / LOW_HZ * fs_hz / n) ** 2
        pairs = (
            (found, expected),
            (found, rms_mm_s(of_piece, ends)),
            (by_hann_windows(piece, fs_hz), expected),
            (by_hann_windows(piece, fs_hz), rms_mm_s(of_piece, hann_weights(n, fs_hz))),
            (by_butterworth(piece, fs_hz), expected),
        )
        yield [expected, *(100 * (a / b - 1) for a, b in pairs), *shares(piece, fs_hz)]


def main() -> None:
    """Print the worst recordings and the quantiles of each difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=0.0, help="pieces of this length")
    args = parser.parse_args()
    paths = sorted(args.folder.glob("*.npz"))
    if not paths:
        parser.error(f"{args.folder}: no .npz files, expected recordings with de_g and fs_hz")
    found = [(p.stem, r) for p in paths for r in rows(p, args.seconds)]
    bands = " | ".join(f"{a:g}-{b:g} Hz" for a, b in SHARES_HZ)
    print(f"| recording | mm/s | VTOX | same ends | Hann | same weights | Butterworth | {bands} |")
    for name, (expected, *rest) in sorted(found, key=lambda r: -abs(r[1][1]))[:10]:
        differences = " | ".join(f"{x:+.2f} %" for x in rest[:5])
        print(f"| {name} | {expected:.3f} | {differences} |", end="")
        print(*(f" {100 * x:.1f} % |" for x in rest[5:]), sep="")
    print("\n| difference of | median | 90 % | most | within 1 % |")
    names = ("VTOX", "VTOX, same ends", "Hann windows", "Hann, same weights", "Butterworth")
    for k, what in enumerate(names, 1):
        d = np.abs([r[k] for _, r in found])
        figures = " | ".join(f"{x:.2f} %" for x in (np.median(d), np.quantile(d, 0.9), d.max()))
        print(f"| {what} | {figures} | {int((d < 1).sum())} of {len(d)} |")


if __name__ == "__main__":
    main()
