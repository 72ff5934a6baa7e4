"""Which guards mattered in a run: said by probes in Python (`interleavings.mutants`)."""

guards: set[int] = set()
