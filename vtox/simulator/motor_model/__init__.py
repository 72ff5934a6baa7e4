"""A motor model in the time domain, for evaluation; shares no formula with the demo's signals."""
