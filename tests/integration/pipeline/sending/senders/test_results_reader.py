"""Answers collected from the results stream, and how they are shown."""

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from vtox.cli.recordings.replay_table import show
from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import Diagnosis, Record
from vtox.pipeline.client.reader import Reader
from vtox.pipeline.configuration import keys
from vtox.pipeline.sending.senders.results_reader import Answers, follow
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.entries import encode_results


def answer(client: Client, run: str, fault: str, state: str, seq: int, machine: str = "M1") -> None:
    family = next(f.name for f in FAMILIES.values() if fault in f.faults)
    record = Record(
        machine_id=machine,
        run=run,
        first_seq=seq,
        last_seq=seq,
        t_start=100.0 + seq,
        t_end=101.0 + seq,
        ids="1-0",
        windows=1,
        bytes=1,
    )
    d = Diagnosis(fault=fault, state=state, code="no_baseline")
    ((entry, _),) = encode_results(family, [(record, d, "")])
    client.xadd(keys.RESULTS, dict(zip(*entry, strict=True)))


def drain(updates: Iterator[Answers]) -> None:
    for _ in updates:
        pass


def test_follow_ends_when_every_family_has_answered_to_the_end(client: Client) -> None:
    answer(client, "before", "turn_short", "fault", 0)
    answers = Answers({"r": 2})
    since = Reader(client).newest_id()
    for seq in (0, 1):
        for fault in ("turn_short", "insulation", "bearing", "eccentricity", "broken_bar"):
            answer(client, "r", fault, "normal", seq)
            answer(client, "r", fault, "fault", seq, machine="M2")
    drain(follow(Reader(client), answers, "M1", since, quiet_s=30.0))
    assert answers.missing() == 0
    assert len(answers.results) == 10
    assert answers.counts("r", "bearing") == {"normal": 2}


def test_follow_gives_up_after_silence(client: Client) -> None:
    answers = Answers({"r": 1})
    since = Reader(client).newest_id()
    answer(client, "r", "turn_short", "normal", 0)
    drain(follow(Reader(client), answers, "M1", since, quiet_s=0.8))
    assert answers.missing() == len(FAMILIES) - 1


@pytest.mark.parametrize("width", [60, 100])
def test_a_row_a_recording_and_a_mark_a_record(client: Client, width: int) -> None:
    states = ("normal", "warning", "fault", "normal")
    for seq, state in enumerate(states):
        answer(client, "r1", "turn_short", state, seq)
        answer(client, "r1", "insulation", "unknown", seq)
    for seq in range(30):
        answer(client, "r2", "turn_short", "normal" if seq else "fault", seq)
    answers = Answers({"r1": 4, "r2": 30})
    drain(follow(Reader(client), answers, "M1", "0-0", quiet_s=0.6))
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    show(Console(file=out, width=width), {"r1": "first", "r2": "second"}, answers)
    out.seek(0)
    lines = [line.split() for line in out.read().splitlines()]
    assert ["first", "·▲■·"] in lines
    assert ["second", "29", "normal,", "1", "fault"] in lines
    assert ["insulation", "unknown", "(4):", "no", "baseline"] in lines
