"""The work in flight, the processes that do it, and what is kept how long."""
