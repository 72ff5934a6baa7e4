"""The system as a whole: its processes and their heartbeats, its state, access, audit, backup."""
