"""Programs that send windows into the stream, in addition to the client."""
