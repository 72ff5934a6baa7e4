"""What sends windows into the stream, besides the client."""
