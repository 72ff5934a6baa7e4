"""What machines and system have shown over months, in SQL."""
