"""Stator inter-turn short, from the negative-sequence current."""
