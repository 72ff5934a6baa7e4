"""Energy and operation of each motor: power at the terminals, load, losses, and meter counts."""
