"""Models that are made of other models: their steps, in order."""
