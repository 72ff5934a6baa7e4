"""What py-spy samples, read and added up."""

import pytest

from benchmarks.profile.flames import levels
from benchmarks.profile.stacks import Share, own_part, owner, read_stacks, shares

LINES = [
    "process 7:x;main (vtox/cli.py:3);work (vtox/motor/diagnosis/dsp/a.py:10) 6",
    "process 7:x;main (vtox/cli.py:4);work (vtox/motor/diagnosis/dsp/a.py:11) 2",
    "main (vtox/cli.py:4);fft (/v/lib/python3.11/site-packages/scipy/fft/b.py:2) 2",
]
MAIN = "main (vtox/cli.py)"
WORK, FFT = "work (vtox/motor/diagnosis/dsp/a.py)", "fft (scipy/fft/b.py)"


def test_lines_of_one_function_are_taken_together():
    assert read_stacks([*LINES, "process 8:just started 1"]) == {(MAIN, WORK): 8, (MAIN, FFT): 2}


def test_a_share_tells_a_function_from_what_it_calls():
    found = {s.function: s for s in shares(read_stacks(LINES))}
    assert found[WORK] == Share(WORK, 0.8, 0.8)
    assert MAIN not in found, "it never worked itself"


def test_a_function_that_calls_itself_counts_once():
    assert shares({("f", "f", "f"): 3}) == [Share("f", 1.0, 1.0)]


def test_what_lies_outside_of_vtox_is_left_out():
    celery = "run (celery/app/task.py)"
    waiting = "poll (select.py)"
    stacks = {(MAIN, celery, WORK, FFT): 3, (celery, WORK): 2, (celery, waiting): 1}
    assert own_part(stacks) == {(WORK, FFT): 3, (WORK,): 2, (waiting,): 1}


def test_what_vtox_calls_stays_with_its_caller():
    celery = "send_task (celery/app/base.py)"
    assert own_part({(MAIN, WORK, celery): 1}) == {(MAIN, WORK, celery): 1}


def test_a_line_that_is_no_stack_is_named():
    with pytest.raises(ValueError, match="line 2"):
        read_stacks([LINES[0], "nothing here"])


def test_calls_lie_above_their_callers():
    rows = levels({("a", "b"): 1, ("a", "c"): 2, ("d",): 1})
    assert rows == [[(0.0, 0.75, "a"), (0.75, 0.25, "d")], [(0.0, 0.25, "b"), (0.25, 0.5, "c")]]


@pytest.mark.parametrize(
    ("function", "whose"),
    [(WORK, "VTOX"), (FFT, "numpy and scipy"), ("run (celery/app/task.py)", "other")],
)
def test_functions_have_owners(function, whose):
    assert owner(function) == whose
