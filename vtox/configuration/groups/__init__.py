"""What can be set, by subject; `vtox/configuration/settings.py` puts it together and reads it."""
