"""What can be set, by subject; `vtox/pipeline/configuration/settings.py` puts it together and reads it."""
