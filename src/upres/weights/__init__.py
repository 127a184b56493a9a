"""Files of weights: ours, foreign ones, published ones, and the small zoo that we ship."""
