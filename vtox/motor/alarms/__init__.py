"""The life of an alarm: from the alert that raises it, by what operators do, to its outcome."""
