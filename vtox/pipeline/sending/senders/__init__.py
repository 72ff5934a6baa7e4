"""The senders of windows: the simulated fleet and recordings that are replayed."""
