"""What each process tells about itself: logs."""
