"""A run shown elsewhere while it trains: TensorBoard, Weights & Biases."""
