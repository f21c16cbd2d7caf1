"""The gateway: ask, models, health, limits and status for every door."""
