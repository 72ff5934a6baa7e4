"""Answers made of stored values: alarms, reasons in words, metrics."""
