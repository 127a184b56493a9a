"""One method of the field with all its values: RECIPES."""
