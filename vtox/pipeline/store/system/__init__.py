"""The system as a whole: its state, access, audit and backup."""
