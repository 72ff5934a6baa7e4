"""What one process holds open: server, history, lists of the fleet, keys; who may do what."""
