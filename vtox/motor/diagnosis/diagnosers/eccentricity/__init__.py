"""Rotor eccentricity, from the sidebands at the speed of rotation."""
