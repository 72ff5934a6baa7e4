"""The HTTP service: status, health, machines and the live page."""
