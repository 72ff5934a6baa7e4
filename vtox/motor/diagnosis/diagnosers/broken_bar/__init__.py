"""Broken rotor bars, from the sidebands at twice the slip frequency."""
