"""Where the time of a window goes, function by function, in each process of a running cluster."""
