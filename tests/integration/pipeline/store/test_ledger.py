"""The scripts on the server: each window's fate changes once, even if scripts run twice or late."""

import time
from dataclasses import replace

import pytest
import redis

from tests.integration.helpers import add_window, counters, end_starts
from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import Record
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.configuration.tables import Keep
from vtox.pipeline.errors import LeaseLost
from vtox.pipeline.store.ledger.heartbeats import LIFE_S
from vtox.pipeline.store.ledger.ledger import (
    CHANGED,
    COMMITTED,
    COMMITTED_AT_ONCE,
    FAILED,
    GONE,
    MAX_ATTEMPTS,
    Ledger,
)
from vtox.pipeline.store.ledger.outcomes import BUCKET_BASE, Outcome, Work
from vtox.pipeline.store.ledger.refusals import Refusal, refuse
from vtox.pipeline.store.machines.machines import retire
from vtox.pipeline.store.server.client import Client, connect, server_time
from vtox.pipeline.store.stream import window_log
from vtox.pipeline.store.stream.window_log import create_group, deleted_unread, group_info, trim_raw
from vtox.pipeline.store.system.status import snapshot

TOKEN = "me"


@pytest.fixture
def ledger(client: Client, settings: Settings) -> Ledger:
    create_group(client, keys.RAW)
    ledger = Ledger(client, settings)
    assert ledger.take_lease(TOKEN, "", 60_000)
    return ledger


def deliver(client: Client, n: int) -> list[str]:
    ids = [add_window(client, seq=k) for k in range(n)]
    # As the bridge does when it admits a window.
    client.zadd(keys.MACHINES, {"V001": 1})
    client.hset(keys.PROGRESS, mapping=dict.fromkeys(ids, "---"))
    client.xreadgroup(keys.GROUP, "bridge", {keys.RAW: ">"})
    return ids


def record(ids: list[str]) -> Record:
    return Record(
        machine_id="V001",
        run="",
        first_seq=0,
        last_seq=len(ids) - 1,
        t_start=0.0,
        t_end=1.0,
        ids=" ".join(ids),
        windows=len(ids),
        bytes=10 * len(ids),
    )


def outcome(family: str, r: Record, version: int = 0) -> Outcome:
    return Outcome(
        r.record_id(family),
        str(version),
        str(version + 1),
        (("memory",), ["{}"]),
        [(("machine_id", "fault"), ["V001", family])],
        [],
        [],
        evidence=False,
    )


def commit(ledger: Ledger, family: str, r: Record, version: int = 0) -> int:
    return ledger.commit(family, [outcome(family, r, version)])[0]


def test_acknowledged_when_every_family_has_finished(client: Client, ledger: Ledger) -> None:
    ids = deliver(client, 3)
    whole = record(ids)
    for n, family in enumerate(FAMILIES):
        assert group_info(client, keys.RAW).pending == 3
        assert ledger.dispatch(TOKEN, family, [whole]) == [True]
        assert list(ledger.start(family, [whole.record_id(family)]).values()) == [whole]
        assert commit(ledger, family, whole, n) == COMMITTED
    assert group_info(client, keys.RAW).pending == 0
    assert counters(client)["windows_done"] == 3
    assert all(v == (0, 0) for v in ledger.in_flight().values())
    assert client.hlen(keys.PROGRESS) == 0
    assert client.xlen(keys.RESULTS) == len(FAMILIES)


def test_entries_of_a_commit_have_their_own_values(client: Client, ledger: Ledger) -> None:
    rows = [record([i]) for i in deliver(client, 3)]
    ledger.dispatch(TOKEN, "bearing", rows)
    values = [["V001", "", b"0"], ["V001", "x", b"0"], ["V001", "x", b"1"]]
    names = ("machine_id", "run", "n")
    outcomes = [
        outcome("bearing", r, k)._replace(results=[(names, own), (names, own[::-1])][: 1 + k % 2])
        for k, (r, own) in enumerate(zip(rows, values, strict=True))
    ]
    assert ledger.commit("bearing", outcomes) == [COMMITTED] * 3
    found = [[f[n.encode()] for n in names] for _, f in client.xrange(keys.RESULTS)]
    assert found == [
        [b"V001", b"", b"0"],
        [b"V001", b"x", b"0"],
        [b"0", b"x", b"V001"],
        [b"V001", b"x", b"1"],
    ]


def test_a_machine_retired_with_records_in_flight_does_not_come_back(
    client: Client, ledger: Ledger
) -> None:
    whole = record(deliver(client, 2))
    found = outcome("bearing", whole, 7)
    alert = (("id", "event"), ["V001:bearing:0", "raised"])
    health = (("state",), ["fault"])
    found = found._replace(assessments=[health], alerts=[alert], evidence=True)
    ledger.dispatch(TOKEN, "bearing", [whole])
    retire(client, "V001")
    assert ledger.commit("bearing", [found]) == [COMMITTED]
    assert client.xlen(keys.RESULTS) == 1, "its windows are diagnosed all the same"
    assert counters(client)["windows:bearing"] == 2
    assert not client.exists(keys.machine("V001"), keys.ASSESSMENTS, keys.ALERTS, keys.EVIDENCE)


def test_a_task_executed_twice_changes_nothing_the_second_time(
    client: Client, ledger: Ledger
) -> None:
    r = record(deliver(client, 2))
    ledger.dispatch(TOKEN, "bearing", [r])
    assert commit(ledger, "bearing", r) == COMMITTED
    before = counters(client)
    assert commit(ledger, "bearing", r, 1) == GONE
    assert ledger.start("bearing", [r.record_id("bearing")]) == {}
    assert counters(client) == before
    assert client.xlen(keys.RESULTS) == 1


def test_records_of_a_family_do_not_overlap(client: Client, ledger: Ledger) -> None:
    ids = deliver(client, 4)
    assert ledger.dispatch(TOKEN, "bearing", [record(ids[:3])]) == [True]
    assert ledger.dispatch(TOKEN, "bearing", [record(ids[2:])]) == [False]
    assert ledger.dispatch(TOKEN, "broken_bar", [record(ids[2:])]) == [True]


def test_a_stale_view_of_the_machine_is_refused(client: Client, ledger: Ledger) -> None:
    r = record(deliver(client, 1))
    ledger.dispatch(TOKEN, "bearing", [r])
    assert commit(ledger, "bearing", r, version=7) == CHANGED
    assert client.xlen(keys.RESULTS) == 0
    assert commit(ledger, "bearing", r, version=0) == COMMITTED


def test_only_the_holder_of_the_lease_dispatches(
    client: Client, ledger: Ledger, settings: Settings
) -> None:
    r = record(deliver(client, 1))
    assert not ledger.take_lease("other", "", 60_000)
    with pytest.raises(LeaseLost):
        ledger.dispatch("other", "bearing", [r])
    with pytest.raises(LeaseLost):
        refuse(client, "other", settings, [Refusal(entry_id=r.ids, code="duplicate")])


def test_a_lease_of_before_the_clock_was_set_back_does_not_last(
    client: Client, ledger: Ledger
) -> None:
    client.pexpire(keys.LEASE, 60_000 + 3_600_000)
    assert not ledger.take_lease("other", "", 60_000), "its bridge may be there"
    assert client.pttl(keys.LEASE) <= 60_000
    ledger.renew_lease(TOKEN, 60_000)


def test_a_lease_that_ran_out_is_not_renewed_even_if_it_is_free(
    client: Client, ledger: Ledger
) -> None:
    ledger.renew_lease(TOKEN, 60_000)
    client.delete(keys.LEASE)
    with pytest.raises(LeaseLost):
        ledger.renew_lease(TOKEN, 60_000)


def test_a_new_ownership_ends_the_last_one_of_the_same_bridge(
    client: Client, ledger: Ledger
) -> None:
    r = record(deliver(client, 1))
    assert ledger.take_lease("next", TOKEN, 60_000)
    with pytest.raises(LeaseLost):
        ledger.dispatch(TOKEN, "bearing", [r])
    ledger.release(TOKEN)
    assert client.get(keys.LEASE) == b"next", "only its holder gives a lease back"


def test_a_window_that_all_families_have_finished_is_not_dispatched_again(
    client: Client, ledger: Ledger
) -> None:
    r = record(deliver(client, 1))
    for n, family in enumerate(FAMILIES):
        ledger.dispatch(TOKEN, family, [r])
        commit(ledger, family, r, n)
    assert ledger.dispatch(TOKEN, "bearing", [r]) == [False]
    assert client.hlen(keys.PROGRESS) == 0


def test_a_deleted_entry_stays_with_the_records_that_hold_it(
    client: Client, ledger: Ledger, settings: Settings
) -> None:
    r = record(deliver(client, 1))
    ledger.dispatch(TOKEN, "bearing", [r])
    refuse(client, TOKEN, settings, [Refusal(entry_id=r.ids, code="samples_missing")])
    assert client.hget(keys.PROGRESS, r.ids) == b"xax"
    assert commit(ledger, "bearing", r) == COMMITTED
    assert group_info(client, keys.RAW).pending == 0
    assert client.hlen(keys.PROGRESS) == 0


def test_pending_windows_that_no_record_holds_are_listed(client: Client, ledger: Ledger) -> None:
    ids = deliver(client, 3)
    for family in FAMILIES:
        ledger.dispatch(TOKEN, family, [record(ids[:1])])
    client.hdel(keys.PROGRESS, ids[2])
    assert ledger.unassigned("", limit=2) == ([ids[1]], ids[1])
    assert ledger.unassigned(ids[1]) == ([ids[2]], "")


def test_copies_of_a_task_that_are_taken_at_once_are_one_attempt(
    client: Client, ledger: Ledger
) -> None:
    r = record(deliver(client, 2))
    rid = r.record_id("bearing")
    ledger.dispatch(TOKEN, "bearing", [r])
    copies = [ledger.start("bearing", [rid]) for _ in range(12)]
    assert copies == [{rid: r}, *[{}] * 11]
    assert client.hget(keys.attempts("bearing"), rid) == b"1"
    assert client.xlen(keys.DEAD_LETTERS) == 0
    assert commit(ledger, "bearing", r) == COMMITTED
    assert not client.exists(keys.attempts("bearing"))


def test_a_start_whose_reply_was_lost_is_made_again_and_counts_once(
    client: Client, ledger: Ledger
) -> None:
    r = record(deliver(client, 1))
    rid = r.record_id("bearing")
    ledger.dispatch(TOKEN, "bearing", [r])
    for _ in range(2):
        assert ledger.start("bearing", [rid], "one-start") == {rid: r}
    assert client.hget(keys.attempts("bearing"), rid) == b"1"


def test_a_failed_start_counts_and_one_that_the_server_interrupted_does_not(
    client: Client, ledger: Ledger
) -> None:
    r = record(deliver(client, 1))
    rid = r.record_id("bearing")
    ledger.dispatch(TOKEN, "bearing", [r])
    for token, interrupted, attempts in (("a", False, 1), ("b", True, 1), ("c", False, 2)):
        assert ledger.start("bearing", [rid], token) == {rid: r}, "a report ends a start"
        ledger.report("bearing", [rid], "another", interrupted=True)
        ledger.report("bearing", [rid], token, interrupted=interrupted)
        assert ledger.overdue("bearing", idle_s=10) == {rid: (r, attempts)}


def test_poison_is_buried_after_the_starts_allowed(
    client: Client, ledger: Ledger, settings: Settings
) -> None:
    r = record(deliver(client, 2))
    rid = r.record_id("bearing")
    ledger.dispatch(TOKEN, "bearing", [r])
    for _ in range(MAX_ATTEMPTS):
        assert ledger.start("bearing", [rid]) == {rid: r}
        end_starts(client, keys.attempts("bearing"))
    assert ledger.start("bearing", [rid]) == {}
    letters = [e for _, e in client.xrange(keys.DEAD_LETTERS)]
    assert [x[b"seq"] for x in letters] == [b"0", b"1"]
    assert letters[0][b"code"] == b"poison"
    assert letters[0][b"attempts"] == b"%d" % MAX_ATTEMPTS
    assert letters[0][b"entry.machine_id"] == b"V001"
    assert commit(ledger, "bearing", r) == GONE
    for n, family in enumerate(("turn_short", "broken_bar")):
        ledger.dispatch(TOKEN, family, [r])
        commit(ledger, family, r, n)
    assert group_info(client, keys.RAW).pending == 0
    assert counters(client)["windows_dead"] == 2
    assert "windows_done" not in counters(client)


def test_a_refused_entry_is_buried_once(client: Client, ledger: Ledger, settings: Settings) -> None:
    (entry_id,) = deliver(client, 1)
    client.hdel(keys.PROGRESS, entry_id)  # it is not admitted
    for _ in range(2):
        refuse(client, TOKEN, settings, [Refusal(entry_id=entry_id, code="bad_rate")])
    assert client.xlen(keys.DEAD_LETTERS) == 1
    assert counters(client) == {"windows_refused": 1, "dead_letters:bad_rate": 1}
    assert group_info(client, keys.RAW).pending == 0


def test_idle_records_come_due_again(client: Client, ledger: Ledger) -> None:
    r = record(deliver(client, 1))
    rid = r.record_id("bearing")
    ledger.dispatch(TOKEN, "bearing", [r])
    assert ledger.overdue("bearing", idle_s=10) == {}
    assert ledger.overdue("bearing", idle_s=0) == {rid: (r, 0)}
    ledger.start("bearing", [rid])
    assert ledger.overdue("bearing", idle_s=10) == {}, "a start renews the time"
    ledger.make_due("bearing", [rid])
    assert ledger.overdue("bearing", idle_s=10) == {rid: (r, 1)}
    client.zadd(keys.due("bearing"), {rid: server_time(client) + 3600})
    assert ledger.overdue("bearing", idle_s=10) == {rid: (r, 1)}, "the clock was set back"


def test_what_waits_in_the_queue_is_not_dispatched_again(client: Client, ledger: Ledger) -> None:
    ids = deliver(client, 3)
    rows = [record([i]) for i in ids]
    for row in rows:
        ledger.dispatch(TOKEN, "bearing", [row])
    lost, waiting, later = (r.record_id("bearing") for r in rows)
    client.zadd(keys.due("bearing"), {lost: 10, waiting: 20, later: 30})
    assert set(ledger.overdue("bearing", 0, [["finished"], [waiting]])) == {lost}
    assert set(ledger.overdue("bearing", 0, [["finished"]])) == {lost, waiting, later}


def test_one_id_of_the_future_does_not_end_trimming(client: Client, ledger: Ledger) -> None:
    ids = deliver(client, 2)
    client.xadd(keys.RAW, {"machine_id": "X"}, id="9999999999999-0")
    ids += deliver(client, 20)
    client.xack(keys.RAW, keys.GROUP, *ids, "9999999999999-0")
    trim_raw(client, keys.RAW, retention_s=60)
    assert client.xlen(keys.RAW) == 1, "the last entry delivered stays"


def test_trimming_spares_what_is_unfinished_or_unread(client: Client, ledger: Ledger) -> None:
    ids = deliver(client, 6)
    unread = [add_window(client, seq=k) for k in range(6, 9)]
    client.xack(keys.RAW, keys.GROUP, *ids[:3], ids[4])
    trim_raw(client, keys.RAW, retention_s=0)
    assert [i.decode() for i, _ in client.xrange(keys.RAW)] == [ids[3], ids[5], *unread]
    client.xack(keys.RAW, keys.GROUP, *ids)
    trim_raw(client, keys.RAW, retention_s=3600)
    assert client.xlen(keys.RAW) == 5
    trim_raw(client, keys.RAW, retention_s=0)
    assert [i.decode() for i, _ in client.xrange(keys.RAW)] == ids[-1:] + unread


def test_what_another_bridge_reads_between_two_looks_is_not_trimmed(
    client: Client, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.xack(keys.RAW, keys.GROUP, *deliver(client, 3))
    meanwhile: list[str] = []

    def looked(answer: object) -> object:
        if not meanwhile:
            meanwhile.extend(deliver(client, 3))
        return answer

    xpending = client.xpending
    monkeypatch.setattr(window_log, "group_info", lambda *a: looked(group_info(*a)))
    monkeypatch.setattr(client, "xpending", lambda *a: looked(xpending(*a)))
    trim_raw(client, keys.RAW, retention_s=0)
    assert [i.decode() for i, _ in client.xrange(keys.RAW)][-3:] == meanwhile


def test_a_machine_that_is_slow_holds_no_windows_of_others(
    client: Client, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_log, "PENDING_AT_ONCE", 2)
    monkeypatch.setattr(window_log, "TRIMMED_AT_ONCE", 3)
    ids = deliver(client, 30)
    slow = [ids[0], *ids[11:14], ids[20]]
    client.xack(keys.RAW, keys.GROUP, *(i for i in ids if i not in slow))
    before = deleted_unread(client)
    assert trim_raw(client, keys.RAW, retention_s=3600) == 0
    assert trim_raw(client, keys.RAW, retention_s=0) == 24
    left = [i.decode() for i, _ in client.xrange(keys.RAW)]
    assert left == [*slow, ids[-1]], "the last entry delivered stays"
    assert deleted_unread(client) == before, "none of them counts as unread"


def test_windows_that_come_while_it_trims_are_not_of_the_future(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_group(client, keys.RAW)
    client.xack(keys.RAW, keys.GROUP, *deliver(client, 3))

    def execute(*args: object, **options: object) -> object:
        """Another window comes after each command."""
        reply = plain(*args, **options)
        time.sleep(0.002)
        add_window(other, seq=3)
        return reply

    with connect(settings.working_url(), "sender") as other:
        plain = client.execute_command
        monkeypatch.setattr(client, "execute_command", execute)
        assert trim_raw(client, keys.RAW, retention_s=3600) == 0


def test_evidence_keeps_the_waveform(client: Client, ledger: Ledger) -> None:
    r = record(deliver(client, 2))
    ledger.dispatch(TOKEN, "bearing", [r])
    kept = Outcome(r.record_id("bearing"), "0", "1", ((), ()), [], [], [], evidence=True)
    ledger.commit("bearing", [kept])
    entries = [e for _, e in client.xrange(keys.EVIDENCE)]
    assert [e[b"seq"] for e in entries] == [b"0", b"1"]
    assert entries[0][b"record"].startswith(b"bearing|V001|")


def test_evidence_of_a_whole_fleet_at_once_is_bounded(client: Client, settings: Settings) -> None:
    create_group(client, keys.RAW)
    ledger = Ledger(client, load(redis_url=settings.redis_url, keep=Keep(evidence="0.1MB")))
    assert ledger.take_lease(TOKEN, "", 60_000)
    rows = [replace(record([i]), bytes=10_000) for i in deliver(client, 20)]
    large = replace(rows.pop(), bytes=101_000)
    ledger.dispatch(TOKEN, "bearing", [*rows, large])
    outcomes = [
        Outcome(r.record_id("bearing"), "0", "0", ((), ()), [], [], [], evidence=True)
        for r in (large, *rows)
    ]
    while client.time()[1] > 300_000:  # all within one second
        time.sleep(0.01)
    assert set(ledger.commit("bearing", outcomes)) == {COMMITTED}
    kept = [e[b"record"].decode() for _, e in client.xrange(keys.EVIDENCE)]
    assert kept == [r.record_id("bearing") for r in rows[:2]], "a quarter of what is kept"
    assert counters(client)["evidence_skipped"] == 18


def test_a_commit_counts_its_latency(client: Client, ledger: Ledger) -> None:
    whole = record(deliver(client, 2))
    ledger.dispatch(TOKEN, "bearing", [whole])
    ledger.start("bearing", [whole.record_id("bearing")])
    time.sleep(0.02)
    commit(ledger, "bearing", whole)
    commit(ledger, "bearing", whole)
    latency = snapshot(client).latency
    assert list(latency) == ["bearing"]
    ((bucket, n),) = latency["bearing"].items()
    total = counters(client)["latency_ms:bearing"]
    assert n == 1
    assert total >= 20
    assert BUCKET_BASE**bucket <= total < BUCKET_BASE ** (bucket + 1)


def test_an_error_leaves_its_own_record_undone_and_no_other(client: Client, ledger: Ledger) -> None:
    ids = deliver(client, 3)
    single = [replace(record([i]), machine_id=f"V{n}") for n, i in enumerate(ids)]
    names = [r.record_id("bearing") for r in single]
    assert ledger.dispatch(TOKEN, "bearing", single) == [True] * 3
    client.zadd(keys.MACHINES, dict.fromkeys(("V0", "V1", "V2"), 1))
    client.set(keys.machine("V1"), "no hash")
    outcomes = [outcome("bearing", r) for r in single]
    assert ledger.commit("bearing", outcomes) == [COMMITTED, FAILED, COMMITTED]
    assert client.hkeys(keys.ledger("bearing")) == [names[1].encode()]
    assert ledger.in_flight()["bearing"] == (1, 10)
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        ledger.commit("bearing", outcomes[1:2])
    client.delete(keys.machine("V1"))
    assert ledger.commit("bearing", outcomes) == [GONE, COMMITTED, GONE]
    assert client.xlen(keys.RESULTS) == 3


def test_as_many_records_as_one_script_takes_are_committed_and_counted(
    client: Client, ledger: Ledger
) -> None:
    count = COMMITTED_AT_ONCE
    single = [record([i]) for i in deliver(client, count)]
    ledger.dispatch(TOKEN, "bearing", single)
    outcomes = [outcome("bearing", r, n) for n, r in enumerate(single)]
    work = Work("w@here", tasks=1, diagnosis_s=0.5, busy_s=2.0, taken_s=3.0)
    assert ledger.commit("bearing", outcomes, work) == [COMMITTED] * count
    counted = {k.decode(): v.decode() for k, v in client.hgetall(keys.worker("w@here")).items()}
    taken_t = float(counted.pop("last_task_t"))
    assert server_time(client) - taken_t == pytest.approx(3.0, abs=1.0)
    assert counted == {
        "last_family": "bearing",
        "tasks_done": "1",
        "windows_done": f"{count}",
        "windows_done:bearing": f"{count}",
        "diagnosis_s": "0.5",
        "busy_s": "2",
        "busy_s:bearing": "2",
    }
    assert counters(client)["windows:bearing"] == count
    assert 0 < client.ttl(keys.worker("w@here")) <= LIFE_S
