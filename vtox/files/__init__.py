"""Recording files: their columns, their time axis, and the recordings made of them."""
