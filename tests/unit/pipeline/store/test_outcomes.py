"""The arguments with which outcomes are committed."""

from vtox.pipeline.store.ledger.outcomes import Outcome, Work, commit_arguments

FAMILY = ["bearing", 1, 4, "workers"]
STATE = ("fault", "state")
ONE = Outcome(
    "r1", "0", "v1", (("memory",), [b"{}"]), [(STATE, ["f", "normal"])], [], [], True, "f"
)
OTHER = Outcome(
    "r2", "v1", "v2", ((), ()), [(STATE, ["f", "warning"]), (STATE, ["g", "x"])], [],
    [(("t",), ["1"])], evidence=False,
)  # fmt: skip


def test_each_argument_of_a_commit_has_its_place() -> None:
    work = Work("w@here", tasks=2, diagnosis_s=0.5, busy_s=1.0, taken_s=0.25)
    found = commit_arguments(FAMILY, 1000, [ONE, OTHER], work)
    assert found[:7] == ["bearing", 1, 4, "workers", 1.1, 1000, 250]
    assert found[7:11] == [2, "0.500000", "1.000000", "0.250000"]
    assert found[12:14] == ["r1", "r2"]
    assert found[14:22] == [5, "1", "memory", b"{}", "10", *STATE, "f"]
    assert found[22:31] == ["", "11", *STATE, "g", "x", "1", "t", "1"]
    assert found[31:43] == [11, "0", "v1", 1, "f", 1, 1, 1, 2, "normal", 0, 0]
    assert found[43:] == [13, "v1", "v2", 0, "", 1, 3, 2, 2, "warning", 4, 0, 1, 5]


def test_a_commit_without_counts_of_a_worker_leaves_their_places_empty() -> None:
    assert commit_arguments(FAMILY, 0, [], None)[7:] == [""] * 5 + [0]
