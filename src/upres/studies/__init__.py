"""Several trainings that answer one question, and what came out of them."""
