"""A motor model in the time domain; shares no formula with the signals of the demo."""
