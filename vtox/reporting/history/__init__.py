"""The history of machines and system over months, in SQL."""
