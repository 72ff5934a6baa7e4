"""From healthy recordings to a baseline."""
