"""Machines, vibration and broken input that no rule was designed on: design sets and final sets."""
