"""One archive of the data that cannot be made again, and its restore into an empty system."""
