"""Data for people and other systems: history, reports, messages, tables, plant interfaces."""
