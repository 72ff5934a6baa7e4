"""Pure maths on arrays of shape (batch, samples): no Redis, no clock, no global state."""
