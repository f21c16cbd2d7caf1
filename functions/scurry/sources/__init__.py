"""Where models come from that are not here, and the copies of them."""
