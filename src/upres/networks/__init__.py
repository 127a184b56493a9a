"""One architecture a file, its frozen settings right above it."""
