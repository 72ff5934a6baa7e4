"""Diagnosers run on recordings and on the motor model."""
