"""Evaluation of the diagnosers on recordings and on the motor model, next to other packages.

Runs as `python -m evaluation`; uses only the public API. Not part of the wheel.
"""
