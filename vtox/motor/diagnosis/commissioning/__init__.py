"""What wiring and nameplate of a machine look like from its signals."""
