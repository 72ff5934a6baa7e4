"""Versions and processor: with the same ones, verdicts are the same bit for bit."""

import hashlib
import platform
from functools import cache
from pathlib import Path

import numpy
import scipy

from vtox.pipeline.configuration.version import RELEASE
from vtox.reporting.reports.contents import Environment

CPUINFO = Path("/proc/cpuinfo")
PACKAGE = Path(__file__).parents[2]
# Characters of the hash of the code that people read.
SHOWN = 12


def environment() -> Environment:
    """Return the software that computes verdicts here."""
    return Environment(
        vtox=RELEASE,
        source=_source(),
        numpy=numpy.__version__,
        scipy=scipy.__version__,
        python=platform.python_version(),
        machine=platform.machine(),
        processor=_processor(),
    )


@cache
def _source() -> str:
    """Return a hash of the code of the package: the same version may be at work on."""
    found = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in (".py", ".css", ".html", ".json", ".toml"):
            found.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0")
            found.update(path.read_bytes() + b"\0")
    return found.hexdigest()[:SHOWN]


@cache
def _processor() -> str:
    """Return the model of the processor, as the system names it."""
    if CPUINFO.is_file():
        for line in CPUINFO.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip().lower() in ("model name", "cpu model", "hardware"):
                return value.strip()[:200]
    return platform.processor() or platform.machine()
