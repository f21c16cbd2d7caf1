"""Which version of a model answers this request."""
