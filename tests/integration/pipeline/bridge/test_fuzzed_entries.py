"""A thousand kinds of broken entries: each is refused with a code, or was a window after all."""

import base64
import random
import zlib
from collections import Counter

import numpy as np

from tests.integration.helpers import bridging, counters, eventually
from vtox.motor.values.plain_names import NAME
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.configuration.tables import Keep
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream import deadletters
from vtox.pipeline.store.stream.window_log import group_info
from vtox.pipeline.windows.wire import FS_MAX_HZ, FS_MIN_HZ, SEQ_MAX, UNLIMITED, WIRE_CODES, decode

Entry = dict[bytes, bytes]
KINDS = 1200
SAMPLES = np.arange(-8, 8, dtype="<i2").tobytes()
FLOATS = np.linspace(-1, 1, 16, dtype="<f4")
NAN, INF = np.full(16, np.nan, "<f4"), np.full(16, np.inf, "<f4")
TEXT = b"[0.5, -1, 2e3]"
NUMBERS = (
    *(b"", b" ", b"x", b"NaN", b"nan", b"inf", b"-inf", b"1e999", b"-1", b"0", b"-0", b"1e12"),
    *(b"1e-320", b"0x10", b"1_000", b"1,5", b"--1", b"+5", b" 7 ", b"7\n", b"true", b"null"),
    *(b"[1]", b"1e5", b"1.5", b"9007199254740993", b"9" * 400, b"\xff\xfe", b"\x00", b"1\x00"),
    *("\u0661\u0662".encode(), b"1e-400", b"100000000000", b"99.999", b"1000000.1", b"-1e308"),
)
NAMES = (
    *(b"", b" ", b"a b", b"-a", b".a", b"a/b", b"../..", b"a\n", b"\x00", b"\xff", b"a" * 65),
    *("\u00e9".encode(), b"a|b", b"{x}", b"a" * 100_000, b"a\r\nHGETALL", b"%s", b"*", b"A:1"),
)
PAYLOADS = (
    *(b"", b"\x01", b"\x01\x02\x03", SAMPLES, SAMPLES[:-1], SAMPLES * 4000, FLOATS.tobytes()),
    *(x.tobytes() for x in (NAN, INF, -0 * FLOATS, 1e-42 * FLOATS)),
    *(base64.b64encode(SAMPLES), b"%%%=", zlib.compress(SAMPLES), zlib.compress(SAMPLES)[:-3]),
    *(TEXT, TEXT[:-1], TEXT + b"x", b"[]", b"[[]]", b"[[1],[2]]", b"[1,[2]]", b"{}", b"3", b'"3"'),
    *(b'["1"]', b'["x"]', b"[null]", b"[true]", b"[NaN]", b"[Infinity]", b"[1e999]", b"[1e39]"),
    *(b"[1,]", b"[-0]", b"[1e-46]", b"[" * 100_000, b'{"a":' * 5000, b"[1 2]", b"[0x1]", b"\xff["),
    *(
        b'["\\ud800"]',
        b"\xed\xa0\x80",
        b"[1e400]",
        b"[18446744073709551616]",
        b"[" * 900 + b"]" * 900,
    ),
    *(b"[" + b"9" * 500 + b"]", b"[" + b"1," * 70_000 + b"1]", b"[1]\x00", b"\xef\xbb\xbf[1]"),
)
EXTRA: tuple[Entry, ...] = (
    {b"n": b"1000000000000"},
    {b"samples": b"-1"},
    {b"": b""},
    {b"\xff": b"\x00"},
    {b"entry.ia": b"x"},
    {b"firmware": b"1.2"},
    {b"x%d" % k: b"" for k in range(300)},
    {b"replay_of": b"1-0", b"replay_family": b"rust"},
    {b"signature": b"\xff"},
    {b"arrived_ms": b"1", b"signature": b"x"},
    {b"code": b"duplicate"},
    {b"scale_vibration": b"x"},
    {b"IA": SAMPLES},
    {b"ia": bytes(2_000_002)},
    {b"seq": b"9" * (1 << 20)},
    {b"machine_id": b"x" * (1 << 20)},
    {b"traceparent": b"\xff" * (1 << 20)},
)


def good(k: int) -> Entry:
    window = {"machine_id": f"F{k}", "seq": "1", "t0": "1.764e9", "fs_hz": "1000", "dtype": "i2"}
    return {name.encode(): text.encode() for name, text in window.items()} | {b"ia": SAMPLES}


def mutations() -> list[Entry]:
    """Every change of one field, or of samples and their type; an empty name deletes the field."""
    fields = ("seq", "t0", "fs_hz", "v", "speed_rpm", "temperature_c", "scale_ia")
    changes: list[Entry] = [{f.encode(): x} for f in fields for x in NUMBERS]
    changes += [{f: x} for f in (b"machine_id", b"run", b"vehicle_id") for x in NAMES]
    types = (b"i2", b"f4", b"json", b"", b"f8", b"I2", b"\xff", b"i2 ")
    changes += [{b"dtype": t, b"ia": x} for t in types for x in PAYLOADS]
    changes += [{b"dtype": t, b"ia": x, b"ib": SAMPLES} for t in types[:3] for x in PAYLOADS]
    changes += [{b"-": f.encode()} for f in ("machine_id", "seq", "t0", "fs_hz", "dtype", "ia")]
    return [*changes, *EXTRA]


def entries() -> list[Entry]:
    """Distinct entries: every mutation, then pairs of them."""
    single, rng = mutations(), random.Random(11)
    changes = [*single]
    while len(changes) < KINDS:
        changes.append(rng.choice(single) | rng.choice(single))
    made = []
    for k, change in enumerate(changes):
        entry = good(k) | change
        entry.pop(entry.pop(b"-", b""), None)
        made.append(entry)
    assert len({repr({**e, b"machine_id": b""}) for e in made}) >= 1000
    return made


def is_a_window(entry: Entry) -> bool:
    """Whether an entry that was admitted can be diagnosed."""
    w = decode(entry, UNLIMITED)
    lengths = {len(x) for x in w.channels.values()}
    return (
        all(NAME.fullmatch(n) for n in (w.machine_id, w.run or "x", w.vehicle_id or "x"))
        and 0 <= w.seq <= SEQ_MAX
        and 0 < w.t0 < 1e11
        and FS_MIN_HZ <= w.fs_hz <= FS_MAX_HZ
        and len(lengths) == 1
        and 0 not in lengths
        and all(np.isfinite(x).all() for x in w.channels.values())
        and (w.speed_rpm is None or 0 <= w.speed_rpm < np.inf)
    )


def test_every_broken_entry_has_a_code_and_every_other_is_a_window(
    client: Client, settings: Settings
) -> None:
    # Room for all dead letters: none represents others.
    roomy = load(redis_url=settings.redis_url, keep=Keep(dead_letters="64GB"))
    thrice = 3 * [good(0) | {b"machine_id": b"TWICE"}]
    sent = {client.xadd(keys.RAW, e).decode(): e for e in entries() + thrice}
    with bridging(roomy):
        eventually(lambda: (g := group_info(client, keys.RAW)) and g.lag == 0)
        eventually(lambda: group_info(client, keys.RAW).pending == client.hlen(keys.PROGRESS))
    letters = {d.stream_id: d for d in deadletters.newest_first(client)}
    admitted = {i.decode() for i in client.hkeys(keys.PROGRESS)}
    assert not letters.keys() & admitted
    count = Counter(d.code for d in letters.values())
    assert count.keys() == WIRE_CODES - {"bad_family", "bad_payload"}, count
    assert all(d.reason for d in letters.values())
    duplicates = counters(client)["windows_duplicate"]
    assert duplicates >= 2
    assert len(letters) + len(admitted) + duplicates == len(sent)
    wrong = [e for i, e in sent.items() if i in admitted and not is_a_window(e)]
    assert wrong == []
