"""What can be set, by subject; `vtox/settings.py` puts it together and reads it."""
