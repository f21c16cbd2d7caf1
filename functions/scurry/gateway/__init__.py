"""Open Inference Protocol over HTTP; doors only translate."""
