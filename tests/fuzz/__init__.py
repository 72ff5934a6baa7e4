"""Random damage to files, windows, messages and bodies: each ends in a value or in one error."""
