"""Photos to one prepared store, and from the store to crops."""
