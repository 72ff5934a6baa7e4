"""Entries that another version, another program or a broken sender may write for a good one."""

from collections.abc import Iterator, Mapping

import orjson

Fields = dict[bytes, bytes]

MEGABYTE = b"x" * (1 << 20)
# Only a few fields get megabytes, as each takes time.
LARGE_EVERY = 5
LARGE = (MEGABYTE, b'{"a":"' + MEGABYTE + b'"}', b"[" + b",".join([b"1"] * 100_000) + b"]")
# Texts that are JSON, and texts that are not.
JSON = (
    *(b"", b"null", b"true", b"0", b"-1", b"1e400", b"-1e308", b"1e308", b"NaN", b"Infinity"),
    *(
        b"9" * 400,
        b"-" + b"9" * 5000,
        b"1.5",
        b'"x"',
        b'""',
        b"[]",
        b"{}",
        b"[[]]",
        b'[{"a":[{}]}]',
    ),
    *(b'"\\ud800"', b'{"\\ud800":1}', b'{"a":"\\ud800"}', b'{"a":{"b":[1]}}', b'{"a":null}'),
    *(
        b'"\\u0000"',
        b'{"a":"\\u0000"}',
        b"{",
        b"[1,",
        b'{"a":1e999}',
        b'{"a":18446744073709551616}',
    ),
    *(b"[" * 900 + b"]" * 900, b'{"a":' * 300 + b"1" + b"}" * 300, b"[" * 20_000),
)
TEXTS = (
    *JSON,
    *(b" ", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"nan", b"inf", b"-inf", b"1e-320", b"0x10"),
    *("\u0661".encode(), b"-0", b"1e17", b"253402300800", b"a b", b"{x}", b"%s", b"*", b"../.."),
)


def broken(good: Mapping[bytes, bytes]) -> Iterator[Fields]:
    """Yield a good entry with one thing wrong: each field and each value of its tables."""
    for k, (name, text) in enumerate(good.items()):
        yield {n: x for n, x in good.items() if n != name} or {b"-": b""}
        for wrong in TEXTS if k % LARGE_EVERY else (*TEXTS, *LARGE):
            yield {**good, name: wrong}
        for wrong in broken_tables(text):
            yield {**good, name: wrong}
    yield {b"": b""}
    yield {**good, b"\xff": b"\xff", b"\xed\xa0\x80": b"", b"later": b'{"v":2}'}
    yield {**good, **{b"x%d" % k: b"" for k in range(2000)}}


def broken_tables(text: bytes) -> Iterator[bytes]:
    """Yield JSON with one value of its table replaced."""
    try:
        table = orjson.loads(text)
    except orjson.JSONDecodeError:
        return
    if isinstance(table, dict):
        for name in table:
            for wrong in JSON:
                yield _spliced(table, name, wrong)


def _spliced(table: dict[str, object], name: str, wrong: bytes) -> bytes:
    """Return JSON with one value replaced by a text that may be none."""
    mark = "@here@"
    return orjson.dumps({**table, name: mark}).replace(orjson.dumps(mark), wrong or b'""')
