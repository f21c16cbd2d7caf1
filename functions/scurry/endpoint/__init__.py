"""A remote endpoint: StateFun's request-reply protocol over HTTP."""
