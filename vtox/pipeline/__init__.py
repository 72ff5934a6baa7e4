"""The way of a window, from its sender to the committed result."""
