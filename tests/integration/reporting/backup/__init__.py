"""One archive there and back, on a real server and a real history."""
