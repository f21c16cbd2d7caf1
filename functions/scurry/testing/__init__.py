"""The whole job in one process, without Flink, to test models with."""

from scurry.testing.harness import Harness

__all__ = ["Harness"]
