"""The guards that mattered in a run, noted by probes in Python (`interleavings.mutants`)."""

guards: set[int] = set()
