"""Two clamps about one conductor, `ghent`: what one says of the sidebands, the other says too."""

import pytest

from evaluation.runs.other_rigs import ghent_pairs
from tests.recordings.folder import recordings

pytestmark = pytest.mark.recordings


def test_eccentricity_answers_the_same_by_both_clamps() -> None:
    pairs = ghent_pairs(recordings("ghent").parent)
    assert pairs
    assert [p.name for p in pairs if p.states[0] != p.states[1]] == []
    assert "fault" not in {state for p in pairs for state in p.states}
