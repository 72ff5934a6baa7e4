"""The commands that simulate a fleet."""
