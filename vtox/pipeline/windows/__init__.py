"""One window: its form on the wire and in JSON, its partition, its trace."""
