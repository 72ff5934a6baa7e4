"""Check of the wiring and nameplate of a machine from its signals."""
