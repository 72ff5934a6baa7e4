"""The stream bridge: windows are admitted, joined into records and dispatched to the queues."""
