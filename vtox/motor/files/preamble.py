"""Sampling rates that the text above a table says in words."""

import re
from collections.abc import Sequence

from vtox.motor.files.table import Certainty, Rate

_NUMBER = r"(\d+(?:[.,]\d+)?(?:e[+-]?\d+)?)"
_RATE = re.compile(
    r"(?:samp\w*[ _]*(?:rate|freq\w*)|\bfs\b|采样率|采样频率|abtast(?:rate|frequenz)"
    r"|fréquence d.échantillonnage|frecuencia de muestreo)"
    rf"[^\d+-]{{0,20}}?{_NUMBER}\s*(k|m)?(?:hz|s/s|sps|赫兹)?",
    re.IGNORECASE,
)
_STEP = re.compile(
    r"(?:samp\w*[ _]*(?:interval|period|time)|delta[ _]?(?:x|t)|采样间隔|采样周期|\bdt\b)"
    rf"[^\d+-]{{0,20}}?{_NUMBER}\s*(ms|us|µs|μs|ns|毫秒|微秒)?",
    re.IGNORECASE,
)
# A rate of something, with its unit before the number: `Input Rate In kHz: 10`.
_ANY_RATE = re.compile(
    r"\b(?:rate|freq\w*)[ _]*(?:in)?[ _(\[]*(k|m)?(?:hz|s/s|sps)[)\]]?"
    rf"[^\w+-]{{0,10}}{_NUMBER}\s*$",
    re.IGNORECASE,
)
_STEPS = {"ms": 1e-3, "毫秒": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "微秒": 1e-6, "ns": 1e-9}


def preamble_rate(lines: Sequence[str]) -> Rate | None:
    """Return the sampling rate that one of the lines states, None if none does."""
    for line in lines:
        fs_hz, certainty = _rate(line.strip(" \t,;"))
        if 0 < fs_hz < float("inf"):
            return Rate(fs_hz, certainty, f"the line {line[:60]!r}")
    return None


def _rate(line: str) -> tuple[float, Certainty]:
    if match := _RATE.search(line):
        return _number(match[1]) * _thousands(match[2]), "likely"
    if match := _STEP.search(line):
        step_s = _number(match[1]) * _STEPS.get((match[2] or "").lower(), 1.0)
        return (1 / step_s if step_s > 0 else 0.0), "likely"
    if match := _ANY_RATE.search(line):
        return _number(match[2]) * _thousands(match[1]), "guess"
    return 0.0, "guess"


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _thousands(prefix: str | None) -> float:
    return {"k": 1e3, "m": 1e6}.get((prefix or "").lower(), 1.0)
