"""Motors: signals in; verdicts, the rules of alarms and their words out."""
