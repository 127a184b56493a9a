"""Any picture through a network."""
