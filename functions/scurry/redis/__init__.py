"""One connection to Redis, for whoever needs one."""
