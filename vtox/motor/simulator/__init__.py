"""Simulated machines and fleets. Shares no constant with the diagnosers."""
