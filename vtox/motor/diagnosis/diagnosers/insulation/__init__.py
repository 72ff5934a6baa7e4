"""Insulation degradation, from the admittance to earth."""
