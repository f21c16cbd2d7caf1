"""The load generator: what it sends, and what comes of it."""
