"""The stream bridge, the queues, and the monitor."""
