"""The commands about recordings: sent again, inspected, diagnosed, reported, verified."""
