"""Damage to bytes, as links, disks and hostile hands do it."""

import random
import re

# Numbers that lengths and counts do not expect.
EXTREMES = (b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0" * 8, b"\xff" * 7 + b"\x7f", b"\0\0\1\0")
# The same in text, with values that parsers of numbers, JSON and TOML handle in their own way.
WORDS = (
    b"nan", b"inf", b"-1", b"0", b"1e400", b"9" * 400, b"null", b"true", b"{}", b"[]", b'""',
    b"[" * 5000, b'{"a":' * 5000, b"\\ud800", b"\xff", b"\n", b",", b";", b"\t", b'"', b"'", b"=",
)  # fmt: skip
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Return data with some bytes changed, taken out, put in or repeated, mostly near its head."""
    if rng.random() < 0.02:
        return rng.randbytes(rng.randrange(400))
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if len(changed) < 4:
            break
        _damage_once(changed, rng)
    return bytes(changed)


def _damage_once(changed: bytearray, rng: random.Random) -> None:
    i = rng.randrange(min(len(changed), rng.choice((64, 512, 2048, len(changed)))))
    match rng.randrange(8):
        case 0:
            changed[i] ^= 1 << rng.randrange(8)
        case 1:
            del changed[i : i + rng.choice((1, 4, 50, 1000))]
        case 2:
            changed[i:i] = rng.randbytes(rng.choice((1, 4, 64)))
        case 3:
            del changed[i:]
        case 4:
            extreme = rng.choice(EXTREMES)
            changed[i : i + len(extreme)] = extreme
        case 5:
            j = rng.randrange(len(changed))
            changed[i : i + 16] = changed[j : j + 16]
        case 6:
            changed[i:i] = rng.choice(WORDS)
        case 7:
            if found := _NUMBER.search(changed, i):
                changed[found.start() : found.end()] = rng.choice(WORDS)
