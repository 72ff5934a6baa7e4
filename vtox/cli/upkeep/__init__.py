"""The commands that look after the system: status, checks, keys, backup."""
