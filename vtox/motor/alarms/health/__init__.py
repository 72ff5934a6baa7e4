"""From diagnoses to alerts and to the health of a machine."""
