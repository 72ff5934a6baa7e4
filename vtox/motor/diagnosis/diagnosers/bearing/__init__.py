"""Bearing defects, from the envelope spectrum of vibration."""
