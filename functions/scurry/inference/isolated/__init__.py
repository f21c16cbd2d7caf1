"""Models that are open in a process of their own."""
