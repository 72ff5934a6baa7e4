"""Resources of one process: server, history, lists of the fleet, keys; and the permissions."""
