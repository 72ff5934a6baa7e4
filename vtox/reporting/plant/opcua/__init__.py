"""The OPC UA server: what control rooms read of the fleet."""
