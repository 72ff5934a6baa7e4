"""The answers of a run as tables."""
