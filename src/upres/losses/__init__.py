"""Pure functions on tensors, one value a sample."""
