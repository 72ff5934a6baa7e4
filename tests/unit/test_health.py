from typing import Any

from vtox.domain import QUIET, Diagnosis, Record
from vtox.faults import PERSISTENCE
from vtox.health import step


def record(n: int, length: float = 1.0) -> Record:
    return Record(
        machine_id="M",
        run="",
        first_seq=n,
        last_seq=n,
        t_start=n * length,
        t_end=(n + 1) * length,
        ids=f"{n}-0",
        windows=1,
        bytes=1,
    )


def run(states: str, fault: str = "bearing") -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Feed one letter a record; return alerts and the health after each."""
    names = {"n": "normal", "w": "warning", "f": "fault", "u": "unknown", "q": "unknown"}
    severity = {"n": 0.0, "w": 0.4, "f": 0.8}
    memory: dict[str, Any] = {}
    alerts, healths = [], []
    for i, s in enumerate(states):
        d = Diagnosis(
            fault=fault,
            state=names[s],
            reason=f"because {s}",
            severity=severity.get(s),
            evidence=(QUIET,) if s == "q" else (),
        )
        after = step(memory, record(i), [d])
        memory = after.memory
        alerts += after.alerts
        healths.append(after.health)
    return alerts, healths


CLEAR = PERSISTENCE["bearing"].clear


def test_one_alert_per_episode() -> None:
    alerts, _ = run("nnnn" + "w" * 8 + "n" * CLEAR + "n" * 5)
    assert [a["event"] for a in alerts] == ["raised", "cleared"]
    assert len({a["id"] for a in alerts}) == 1
    assert [a["t"] for a in alerts] == [4, 12], "when the signal changed, not when it was judged"


def test_where_nothing_is_found_an_alert_ends_and_nothing_is_decided() -> None:
    alerts, healths = run("w" * 6 + "q" * (CLEAR - 1) + "n")
    assert [a["event"] for a in alerts] == ["raised", "cleared"]
    assert healths[-1]["state"] == "normal"
    alerts, healths = run("w" * 6 + "q" * 130)
    assert [a["event"] for a in alerts] == ["raised", "cleared"]
    assert alerts[-1]["t"] == 6
    assert (healths[-1]["state"], healths[-1]["health"]) == ("unknown", None)
    assert run("q" * 20)[1][-1]["state"] == "unknown"


def test_a_single_outlier_says_nothing() -> None:
    assert run("nnnnfnnnnnwnnnn")[0] == []


def test_escalates_once() -> None:
    alerts, _ = run("w" * 6 + "f" * 6 + "w" * 6)
    assert [(a["event"], a["level"]) for a in alerts] == [
        ("raised", "warning"),
        ("escalated", "fault"),
    ]


def test_two_episodes_have_two_ids() -> None:
    alerts, _ = run("f" * 6 + "n" * CLEAR + "f" * 6)
    assert [a["event"] for a in alerts] == ["raised", "cleared", "raised"]
    assert alerts[0]["id"] == alerts[1]["id"] != alerts[2]["id"]


def test_abstentions_neither_raise_nor_clear() -> None:
    assert run("u" * 20)[0] == []
    alerts, healths = run("f" * 6 + "u" * 20)
    assert [a["event"] for a in alerts] == ["raised"]
    assert healths[-1]["state"] == "fault"


def test_what_is_not_decided_for_long_is_unknown_and_no_longer_normal() -> None:
    _, healths = run("n" * 5 + "u" * 130)
    assert healths[4]["state"] == healths[100]["state"] == "normal"
    assert healths[-1] == healths[-1] | {"state": "unknown", "health": None}
    assert healths[-1]["faults"]["bearing"]["reason"] == "because u"
    alerts, healths = run("f" * 6 + "u" * 200)
    assert [a["event"] for a in alerts] == ["raised"]
    assert healths[-1]["state"] == "fault", "an open alert is not forgotten for want of sight"


def test_health_follows_the_open_alert() -> None:
    _, healths = run("u" + "n" * 3 + "f" * 6 + "n" * 12)
    assert healths[0]["state"] == "unknown"
    assert healths[0]["health"] is None
    assert healths[3] == healths[3] | {"state": "normal", "health": 100.0}
    assert healths[9] == healths[9] | {"state": "fault", "health": 20.0}
    assert healths[-1] == healths[-1] | {"state": "normal", "health": 100.0}


def test_notable_is_the_first_of_a_kind() -> None:
    d = Diagnosis(fault="bearing", state="warning", reason="", severity=0.3)
    first = step({}, record(0), [d])
    assert first.notable
    assert not step(first.memory, record(1), [d]).notable


def test_assessed_when_it_changes_and_now_and_then() -> None:
    d = Diagnosis(fault="bearing", state="normal", reason="", severity=0.0)
    memory: dict[str, Any] = {}
    told = []
    for n in range(25):
        after = step(memory, record(n), [d])
        memory = after.memory
        told.append(after.assessed)
    assert told[0]
    assert sum(told) == 3


def test_a_short_switched_inside_records_has_its_own_times() -> None:
    on_off = {3: (0.4, 1.0), 4: (0.0, 1.0), 5: (0.0, 0.6)}
    memory: dict[str, Any] = {}
    alerts = []
    for n in range(8):
        evidence: tuple[dict[str, Any], ...] = ()
        if n in on_off:
            start, end = on_off[n]
            evidence = ({"kind": "episode", "state": "fault", "t_start_s": start, "t_end_s": end},)
        state = "fault" if evidence else "normal"
        d = Diagnosis(fault="turn_short", state=state, reason="", severity=0.5, evidence=evidence)
        after = step(memory, record(n), [d])
        memory = after.memory
        alerts += after.alerts
    assert [(a["event"], a["level"], round(a["t"], 1)) for a in alerts] == [
        ("raised", "fault", 3.4),
        ("cleared", "fault", 5.6),
    ]


def levels(ratios: str, fault: str = "eccentricity") -> list[str]:
    """Feed records by their statistic in tenths of the threshold (`x`: 1.2) as a letter each."""
    memory: dict[str, Any] = {}
    events = []
    for i, letter in enumerate(ratios):
        over = 1.2 if letter == "x" else int(letter) / 10
        state = "warning" if over > 1 else "normal"
        d = Diagnosis(
            fault=fault, state=state, reason="", severity=0.4, statistic=6 * over, threshold=6.0
        )
        after = step(memory, record(i), [d])
        memory = after.memory
        events += [a["event"] for a in after.alerts]
    return events


def test_what_stays_at_the_limit_is_one_episode() -> None:
    assert levels("xxx" + "9" * 6 + "xxx" + "9" * 6 + "xxx") == ["raised"]
    assert levels("xxx" + "9" * 6 + "2" * CLEAR) == ["raised", "cleared"]
    assert levels("xxx" + "2" * CLEAR + "xxx") == ["raised", "cleared", "raised"]
    assert levels("9" * 20) == []


def flicker(over: float) -> list[str]:
    """A short that is on for half of every second, its statistic `over` times the threshold."""
    memory: dict[str, Any] = {}
    events = []
    for n in range(6):
        episode = {"kind": "episode", "state": "warning", "t_start_s": 0.0, "t_end_s": 0.6}
        d = Diagnosis(
            fault="turn_short",
            state="warning",
            reason="",
            severity=0.3,
            statistic=20 * over,
            threshold=20.0,
            evidence=(episode,),
        )
        after = step(memory, record(n), [d])
        memory = after.memory
        events += [a["event"] for a in after.alerts]
    return events


def test_flicker_at_the_limit_is_one_episode_and_a_switched_short_is_many() -> None:
    assert flicker(1.2) == ["raised"]
    assert flicker(4.0) == ["raised", "cleared"] * 6
