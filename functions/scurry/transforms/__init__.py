"""Before and after a model: what callers have, made into tensors."""
