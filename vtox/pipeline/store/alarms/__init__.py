"""Alarms of machines and of the system, and the operators' actions on them."""
