"""The OPC UA server: data of the fleet for control rooms."""
