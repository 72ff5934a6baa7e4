"""Real recordings written in each format by another program, and read again."""

from pathlib import Path

import numpy as np
import pytest

from tests.recordings.folder import recordings
from tests.unit.motor.files.written_formats import FORMATS, STEP
from vtox.motor.files.inspection import file_facts
from vtox.motor.files.matching import options
from vtox.motor.files.recordings import find, read

pytestmark = pytest.mark.recordings


def stated(words: tuple[str, ...]) -> dict[str, list[str]]:
    pairs = dict(zip(words[::2], words[1::2], strict=True))
    return {"mapping": [pairs.get("--map", "")], "unit": [pairs.get("--unit", "")]}


@pytest.mark.long
@pytest.mark.parametrize("name", FORMATS)
def test_a_real_motor_in_every_format(tmp_path: Path, name: str) -> None:
    write, words = FORMATS[name]
    given = {k: v for k, v in stated(words).items() if v != [""]}
    found, _ = find([recordings("itsc")], options())
    for path in found[::4]:
        [original] = read(path)
        write(tmp_path / name, original.channels, original.fs_hz)
        [again] = read(tmp_path / name, options(**given))
        assert again.fs_hz == pytest.approx(original.fs_hz, rel=1e-5)
        for channel, x in original.channels.items():
            assert again.channels[channel] == pytest.approx(x, abs=STEP / 2 * 1.01, rel=1e-6)
            assert np.corrcoef(again.channels[channel], x)[0, 1] > 0.999999


@pytest.mark.parametrize("folder", ["itsc", "cwru", "hit", "ghent"])
def test_every_real_file_is_understood_without_a_flag(folder: str) -> None:
    found, skipped = find([recordings(folder)], options())
    assert {p.name for p in skipped} <= {"LICENSE", "labels.csv"}
    facts = [file_facts(path, options()) for path in found]
    assert all(t.rate and t.channels and not t.errors for f in facts for t in f.tables)
