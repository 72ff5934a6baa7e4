"""One archive of what cannot be made again, and its way back into an empty system."""
