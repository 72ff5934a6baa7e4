"""The commands about machines, their settings and their alarms."""
