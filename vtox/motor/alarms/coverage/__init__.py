"""The faults watched on a machine, the ones to which VTOX is blind, and the remedy for each."""
