"""Spectra for people, computed by the code of the diagnoses, with the lines that these examine."""
