"""The arguments with which outcomes are committed."""

from vtox.pipeline.store.ledger.outcomes import Outcome, Work, commit_arguments

FAMILY = ["bearing", 1, 4, "workers"]
ONE = Outcome("r1", "0", "v1", ["memory", b"{}"], [["state", "normal"]], [], [], True, "f")
OTHER = Outcome("r2", "v1", "v2", [], [["state", "fault"], ["state", "x"]], [], [["t", "1"]], False)


def test_each_argument_of_a_commit_has_its_place() -> None:
    work = Work("w@here", tasks=2, diagnosis_s=0.5, busy_s=1.0, taken_s=0.25)
    found = commit_arguments(FAMILY, 1000, [ONE, OTHER], work)
    assert found[:7] == ["bearing", 1, 4, "workers", 1.1, 1000, 250]
    assert found[7:11] == [2, "0.500000", "1.000000", "0.250000"]
    assert found[12:14] == ["r1", "r2"]
    assert found[14:23] == [4, 1, "memory", 1, "state", 0, 1, "t", 12]
    assert found[23:35] == ["0", "v1", 1, "f", 1, 1, b"{}", 1, 2, "normal", 0, 0]
    assert found[35:] == [15, "v1", "v2", 0, "", 1, 3, 2, 2, "fault", 2, "x", 0, 1, 4, "1"]


def test_a_commit_without_counts_of_a_worker_leaves_their_places_empty() -> None:
    assert commit_arguments(FAMILY, 0, [], None)[7:] == [""] * 5 + [0]
