"""Alarms of machines and of the system, and what operators did with them."""
