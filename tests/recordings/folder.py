"""Where the real recordings are: `VTOX_RECORDINGS`, or `shared/data` beside the checkout."""

import os
from pathlib import Path

import pytest

from tests.paths import ROOT


def recordings(name: str) -> Path:
    """Return the folder of one set, or skip the test by name where it is absent."""
    top = Path(os.environ.get("VTOX_RECORDINGS") or ROOT.parent / "shared" / "data")
    if not (top / name).is_dir():
        pytest.skip(f"recordings `{name}` are not in {top} (VTOX_RECORDINGS)")
    return top / name
