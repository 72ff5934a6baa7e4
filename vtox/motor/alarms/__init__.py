"""The life of an alarm: from the alert that raises it, by the acts of operators, to its outcome."""
