"""Windows from an MQTT broker: `vtox mqtt` (extra `mqtt`)."""
