"""A backup knows what each key of the server is."""

from vtox import keys
from vtox.store import kept_state

# Parts of names and values, not keys.
NO_KEYS = {"GROUP", "CELERY_PREFIX", "AT_WORK", "ALL_LISTED"}


def test_every_key_is_kept_or_in_flight() -> None:
    kept = {*kept_state.MACHINES, *kept_state.HASHES, *kept_state.STREAMS, *kept_state.DERIVED}
    of_keys = {n for n in vars(keys) if not n.startswith("_")} - NO_KEYS
    assert kept.isdisjoint(kept_state.IN_FLIGHT)
    assert of_keys == kept | set(kept_state.IN_FLIGHT)
