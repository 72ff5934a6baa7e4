"""A backup knows the purpose of each key of the server."""

from vtox.pipeline.configuration import keys
from vtox.pipeline.store.system import kept_state

# Parts of names and values, and a limit: not keys.
NO_KEYS = {"GROUP", "MAX_PARTITIONS", "CELERY_PREFIX", "AT_WORK"}


def test_every_key_is_kept_or_in_flight() -> None:
    groups = ("MACHINES", "HASHES", "STREAMS", "JOINED", "DERIVED")
    kept = {name for group in groups for name in getattr(kept_state, group)}
    of_keys = {n for n in vars(keys) if not n.startswith("_")} - NO_KEYS
    assert kept.isdisjoint(kept_state.IN_FLIGHT)
    assert of_keys == kept | set(kept_state.IN_FLIGHT)
