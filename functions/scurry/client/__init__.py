"""Ask a model, await its answer."""
