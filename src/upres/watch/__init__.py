"""The watch on a training: what is measured, and what is said of it."""
