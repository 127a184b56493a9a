"""The step, the loop and the run's folder."""
