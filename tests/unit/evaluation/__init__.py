"""The simulations of the evaluation."""
