"""Each speaks one protocol and only translates; siblings."""
