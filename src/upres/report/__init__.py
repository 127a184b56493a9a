"""A run or an evaluation as one page."""
