"""Pure functions that measure: one value a picture."""
