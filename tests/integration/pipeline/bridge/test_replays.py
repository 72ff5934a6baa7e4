"""Dead letters sent again: how the bridge takes them, and entries that only claim to be such."""

from typing import Any

from tests.integration.helpers import add_window, bridging, counters, eventually
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.ledger.ledger import INDEX
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream import deadletters


def send_again(client: Client, entry_id: str, family: str, **changes: Any) -> str:
    """Make a dead letter of an entry and send it again; return its new id."""
    ((_, entry),) = client.xrange(keys.RAW, entry_id, entry_id)
    kept = {b"entry." + k: v for k, v in entry.items()} | {b"family": family.encode()} | changes
    letter_id = client.xadd(keys.DEAD_LETTERS, kept).decode()
    return deadletters.resend(client, deadletters.get(client, letter_id))


def progress(client: Client, entry_id: str) -> str:
    return (client.hget(keys.PROGRESS, entry_id) or b"").decode()


def test_a_dead_letter_sent_again_goes_to_its_family_alone(
    client: Client, settings: Settings
) -> None:
    with bridging(settings):
        first = add_window(client, seq=5)
        eventually(lambda: progress(client, first).startswith("a"))
        again = send_again(client, first, "turn_short")
        expected = "".join("a" if f == "turn_short" else "d" for f in INDEX)
        eventually(lambda: progress(client, again) == expected)
    assert "windows_duplicate" not in counters(client)


def test_a_sender_that_claims_a_replay_sends_an_ordinary_window(
    client: Client, settings: Settings
) -> None:
    genuine = send_again(client, add_window(client, "V002"), "bearing")
    ((_, signed),) = client.xrange(keys.RAW, genuine, genuine)
    signature = signed[b"signature"]
    claims = [
        {"replay_of": "1-0", "replay_family": "turn_short"},
        {"replay_family": "rust"},
        {"replay_of": "not a name"},
        {"replay_of": "1-0", "replay_family": "bearing", "signature": signature},
    ]
    with bridging(settings):
        ids = [add_window(client, seq=k, **claim) for k, claim in enumerate(claims)]
        copy = add_window(client, seq=1, replay_of="2-0")
        eventually(lambda: counters(client).get("windows_duplicate") == 1)
        eventually(lambda: all(progress(client, i) for i in ids))
    assert all("d" not in progress(client, i) for i in ids), "every family diagnoses them"
    assert not progress(client, copy)
    assert client.xlen(keys.DEAD_LETTERS) == 0


def test_a_replay_for_a_family_that_does_not_exist_is_a_dead_letter(
    client: Client, settings: Settings
) -> None:
    again = send_again(client, add_window(client), "rust")
    with bridging(settings):
        ((_, letter),) = eventually(lambda: client.xrange(keys.DEAD_LETTERS))
    assert (letter[b"code"], letter[b"stream_id"]) == (b"bad_family", again.encode())
