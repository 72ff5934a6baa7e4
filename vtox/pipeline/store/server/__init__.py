"""Connections to the server, its scripts and the table of partitions."""
