"""Who sends windows: the simulated fleet and recordings that are replayed."""
