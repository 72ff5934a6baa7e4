"""Signals for tests, made independently of the simulator."""
