"""Windows and results in streams: added, read, fetched, passed on."""
