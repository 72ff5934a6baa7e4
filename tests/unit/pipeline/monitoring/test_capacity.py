"""How many more machines there is room for."""

import pytest

from vtox.motor.values import codec
from vtox.pipeline.monitoring.capacity import capacity
from vtox.pipeline.store.stream.entries import Metrics, entry_of

NOW = 1000.0
BUSY = {"turn_short": 0.1, "bearing": 0.25, "broken_bar": 0.05}


def entry(age_s: float, **other: object) -> Metrics:
    fields: dict[str, object] = {"cpu": 0.2, "machines": 50.0, "busy": BUSY}
    return Metrics(t=NOW - age_s, interval_s=10.0, **fields | other)  # type: ignore[arg-type]


def test_room_is_what_the_busiest_leaves() -> None:
    c = capacity([entry(1), entry(11)], NOW)
    assert (c.limit, c.machines, c.room) == ("bearing", 50, 150)


def test_the_cores_may_be_the_limit() -> None:
    assert capacity([entry(1, cpu=0.5)], NOW).limit == "cpu"
    assert capacity([entry(1, cpu=0.5)], NOW).room == 50


def test_the_thread_of_the_server_may_be_the_limit() -> None:
    c = capacity([entry(1, busy=BUSY | {"server": 0.4, "bridge": 0.3})], NOW)
    assert (c.limit, c.room) == ("server", 75)


def test_shares_are_averages_over_a_minute() -> None:
    metrics = [entry(1, cpu=0.9), entry(11, cpu=0.1), entry(200, cpu=1.0)]
    assert capacity(metrics, NOW).used["cpu"] == pytest.approx(0.5)


def test_there_is_no_room_beyond_all() -> None:
    assert capacity([entry(1, busy={"bearing": 1.01})], NOW).room == 0


@pytest.mark.parametrize(
    ("metrics", "code"),
    [
        ([], "room_without_figures"),
        ([entry(100)], "room_without_figures"),
        ([entry(1, machines=0.0)], "room_without_machines"),
        ([entry(1, cpu=None)], "room_without_load"),
        ([entry(1, cpu=None, busy={})], "room_without_workers"),
        ([entry(1, busy={"server": 0.1})], "room_without_workers"),
    ],
)
def test_what_is_not_known_has_its_reason(metrics: list[Metrics], code: str) -> None:
    c = capacity(metrics, NOW)
    assert c.room is None
    assert c.why.code == code


def test_shares_survive_their_entry() -> None:
    texts = [t if isinstance(t, bytes) else t.encode() for t in entry_of(entry(1))]
    fields = dict(zip(texts[::2], texts[1::2], strict=True))
    back = codec.decode_fields(Metrics, fields)
    assert (back.busy, back.cpu, back.machines) == (BUSY, 0.2, 50.0)
