"""How a model of some kind is loaded and asked."""
