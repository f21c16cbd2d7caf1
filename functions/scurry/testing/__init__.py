"""To test models with: the whole job without Flink, or one model."""

from scurry.testing.harness import Harness
from scurry.testing.serving import Served, serve

__all__ = ["Harness", "Served", "serve"]
