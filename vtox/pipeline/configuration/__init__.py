"""Settings, the addresses made of them, and the cores of this host."""
