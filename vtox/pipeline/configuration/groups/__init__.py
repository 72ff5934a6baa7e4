"""The settings, by subject; `settings.py` of the folder above puts it together and reads it."""
