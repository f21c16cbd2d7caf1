"""A batch of requests in, a reply to each out."""
