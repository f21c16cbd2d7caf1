"""Scurry: many models, one stream."""
