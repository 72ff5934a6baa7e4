"""Dead letters by HTTP."""

import httpx

from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream import deadletters


def test_dead_letters_show_no_samples(http: httpx.Client, client: Client) -> None:
    letter = {
        "stream_id": "5-0",
        "machine_id": "M1",
        "seq": "9",
        "family": "",
        "code": "bad_length",
        "reason": "ia: 3 bytes",
        "attempts": "0",
        "t": "1764000000.5",
    }
    client.xadd(keys.DEAD_LETTERS, letter | {"entry.ia": b"\xff\x00\x01", "entry.seq": "9"})
    client.xadd(keys.DEAD_LETTERS, letter | {"machine_id": b"\xff\xfe", "attempts": "x", "t": "y"})
    gone, kept = http.get("/api/v1/dead-letters").raise_for_status().json()["data"]
    assert (kept["code"], kept["replayable"], kept["entry_bytes"]) == ("bad_length", True, 9)
    assert kept["entry_bytes"] == [*deadletters.newest_first(client)][1].entry_bytes
    assert not gone["replayable"]
    assert (gone["attempts"], gone["t"]) == (0, None)
    assert len(http.get("/api/v1/dead-letters?machine_id=M1").json()["data"]) == 1
