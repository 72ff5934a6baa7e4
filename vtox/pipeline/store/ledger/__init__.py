"""The work in flight, the processes that do it, and the retention of data."""
