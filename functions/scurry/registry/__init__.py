"""Which versions of a model exist, and in what state."""
