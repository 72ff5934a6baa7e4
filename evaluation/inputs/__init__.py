"""Broken input: wrong wiring, instruments, files and nameplates, with the codes expected."""
